"""The name of a protocol in → its adapter out."""

from chatapp.upstream.anthropic import Anthropic
from chatapp.upstream.cerebrium import Cerebrium
from chatapp.upstream.contract import Adapter
from chatapp.upstream.openai import OpenAI
from chatapp.upstream.truss import Truss

ADAPTERS: dict[str, Adapter] = {
    "openai": OpenAI(),
    "anthropic": Anthropic(),
    "truss": Truss(),
    "cerebrium": Cerebrium(),
}
