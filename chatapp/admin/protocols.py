"""A protocol → what an administrator has to know of it: its URL, key and options, an example."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from chatapp.models import Endpoint
from chatapp.upstream.options import OPTIONS, Option


@dataclass(frozen=True, slots=True)
class Guide:
    """What is said of one protocol. `matters` are the options that most of its endpoints need."""

    protocol: str
    url: Any
    key: Any
    matters: tuple[str, ...]
    advice: Any
    example: Mapping[str, str]

    @property
    def label(self) -> str:
        return str(Endpoint.Protocol(self.protocol).label)

    @property
    def options(self) -> list[tuple[str, Option, bool]]:
        """Name, meaning and whether it matters; those that do come first."""
        known = OPTIONS[self.protocol]
        rest = [name for name in known if name not in self.matters]
        return [(name, known[name], name in self.matters) for name in (*self.matters, *rest)]


GUIDES = (
    Guide(
        "openai",
        _("The base, usually ending in /v1, or the whole …/chat/completions."),
        _("Authorization: Bearer; at *.openai.azure.com as api-key."),
        ("max_tokens", "max_tokens_field", "stream_options"),
        _("vLLM, SGLang, Ollama and most hosts speak it. A model slug is usually needed."),
        {
            "url": "https://inference.baseten.co/v1",
            "model": "moonshotai/Kimi-K2-Instruct",
            "key": "BASETEN_API_KEY",
            "options": '{"max_tokens": 4096}',
        },
    ),
    Guide(
        "anthropic",
        _("The base, with or without /v1."),
        _("x-api-key; at Baseten, or with the option auth, as Authorization: Bearer."),
        ("max_tokens", "auth", "anthropic_version"),
        _("Every request has to name its longest answer: 4096 tokens unless max_tokens says else."),
        {
            "url": "https://api.anthropic.com",
            "model": "claude-sonnet-4-5",
            "key": "ANTHROPIC_API_KEY",
            "options": '{"max_tokens": 8192}',
        },
    ),
    Guide(
        "truss",
        _("The whole predict URL, of any environment, deployment or region."),
        _("Authorization: Api-Key."),
        ("body", "framing"),
        _(
            "The model's own code decides what a request holds: say it with the option body. "
            "Framing is sse for models that yield events themselves."
        ),
        {
            "url": "https://model-abcd1234.api.baseten.co/environments/production/predict",
            "model": "",
            "key": "BASETEN_API_KEY",
            "options": '{"body": {"prompt": "{prompt}", "stream": true}}',
        },
    ),
    Guide(
        "cerebrium",
        _("The whole URL of the function."),
        _("Authorization: Bearer."),
        ("body",),
        _("The body names the function's parameters; it fails on names that it does not know."),
        {
            "url": "https://api.aws.us-east-1.cerebrium.ai/v4/p-1234abcd/my-app/run",
            "model": "",
            "key": "CEREBRIUM_API_KEY",
            "options": '{"body": {"prompt": "{prompt}"}}',
        },
    ),
)


def addresses_explained() -> str:
    """What URL to give and how the key goes, for each protocol; the page shows the chosen one's."""
    return render_to_string("admin/chatapp/endpoint/_addresses.html", {"guides": GUIDES})


def options_explained() -> str:
    """The options of each protocol."""
    return render_to_string("admin/chatapp/endpoint/_options.html", {"guides": GUIDES})
