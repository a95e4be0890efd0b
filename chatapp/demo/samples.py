"""A programming language's name → a short programme in it, worth a look on its own."""

from collections.abc import Mapping

SAMPLES: Mapping[str, str] = {
    "python": '''\
from collections.abc import AsyncIterator


async def speak(text: str, pause_s: float = 0.02) -> AsyncIterator[str]:
    """Yields `text` word by word, as a model would."""
    for word in text.split(" "):
        yield word + " "
        await asyncio.sleep(pause_s)


async for word in speak("Tokens arrive one at a time."):
    print(word, end="", flush=True)  # 🌊''',
    "javascript": """\
// Read a streamed answer in the browser, piece by piece.
const response = await fetch("/v1/chat/completions", { method: "POST", body });
const decoder = new TextDecoder(); // keeps half a 🌊 until the rest arrives

for await (const bytes of response.body) {
  output.textContent += decoder.decode(bytes, { stream: true });
}""",
    "typescript": """\
type Delta = { kind: "text" | "reasoning"; text: string };

function* merge(deltas: Iterable<Delta>): Generator<Delta> {
  let open: Delta | undefined;
  for (const delta of deltas) {
    if (open?.kind === delta.kind) {
      open = { ...open, text: open.text + delta.text };
    } else {
      if (open) yield open;
      open = delta;
    }
  }
  if (open) yield open;
}""",
    "rust": """\
/// The longest prefix of `bytes` that is whole UTF-8.
fn whole(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let end = error.valid_up_to();
            std::str::from_utf8(&bytes[..end]).unwrap_or_default()
        }
    }
}

fn main() {
    let wave = "🌊".as_bytes();
    assert_eq!(whole(&wave[..3]), ""); // not yet
    assert_eq!(whole(wave), "🌊");
}""",
    "go": """\
package main

import (
	"fmt"
	"time"
)

func main() {
	tokens := make(chan string)
	go func() {
		defer close(tokens)
		for _, token := range []string{"Share", " by", " communicating", "."} {
			time.Sleep(20 * time.Millisecond)
			tokens <- token
		}
	}()
	for token := range tokens {
		fmt.Print(token)
	}
}""",
    "sql": """\
-- How long do people wait for the first word?
SELECT endpoint,
       count(*)                                               AS answers,
       percentile_cont(0.5)  WITHIN GROUP (ORDER BY ttft_ms)  AS p50_ms,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY ttft_ms)  AS p99_ms
FROM message
WHERE role = 'assistant' AND created_at > now() - interval '1 day'
GROUP BY endpoint
ORDER BY p99_ms DESC;""",
    "bash": """\
#!/usr/bin/env bash
set -euo pipefail

# Watch an answer arrive on the wire, event by event.
curl --no-buffer --silent "$BASE_URL/chat/completions" \\
  --header 'Content-Type: application/json' \\
  --data '{"model": "scripted", "stream": true,
           "messages": [{"role": "user", "content": "a poem"}]}' |
  while IFS= read -r line; do
    printf '%(%T)T  %s\\n' -1 "$line"
  done""",
    "html": """\
<article data-role="assistant" aria-busy="true">
  <h2>A scripted answer</h2>
  <p>Words appear here as they arrive <span aria-hidden="true">▍</span></p>
  <button type="button" data-action="stop">Stop</button>
</article>""",
    "css": """\
@layer components {
  .answer[aria-busy="true"]::after {
    content: "▍";
    animation: blink 1s steps(2) infinite;
  }

  @keyframes blink {
    50% { opacity: 0; }
  }

  @media (prefers-reduced-motion: reduce) {
    .answer::after { animation: none; }
  }
}""",
    "json": """\
{
  "id": "chatcmpl-demo",
  "object": "chat.completion.chunk",
  "model": "scripted",
  "choices": [
    { "index": 0, "delta": { "content": " 風" }, "finish_reason": null }
  ],
  "usage": null
}""",
}

ALIASES: Mapping[str, str] = {
    **{name: name for name in SAMPLES},
    "py": "python",
    "js": "javascript",
    "node": "javascript",
    "ts": "typescript",
    "golang": "go",
    "shell": "bash",
    "sh": "bash",
    "curl": "bash",
    "postgresql": "sql",
}
