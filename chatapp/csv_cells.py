"""Text → a CSV cell that no spreadsheet takes for a formula."""

# What a formula can begin with, full-width forms too, which some programs read as the others.
_BEGINNINGS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def safe_cell(text: str) -> str:
    """`text`, behind an apostrophe if it begins like a formula, be it after blanks."""
    is_blank_first = text.startswith(("\t", "\r", "\n"))
    return f"'{text}" if is_blank_first or text.lstrip().startswith(_BEGINNINGS) else text
