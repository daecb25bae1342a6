"""A node that only this plugin has, with a dependency that Orcheo's image does not have."""

import humanize
from langchain_core.runnables import RunnableConfig
from orcheo.graph.state import State
from orcheo.nodes.base import TaskNode
from orcheo.nodes.registry import NodeMetadata
from orcheo.plugins import PluginAPI


class GreetingNode(TaskNode):
    """Greets so many guests."""

    guests: int

    async def run(self, state: State, config: RunnableConfig) -> dict[str, str]:
        """The greeting, its number in words."""
        return {"answer": f"Hello, {humanize.apnumber(self.guests)} guests"}


def register(api: PluginAPI) -> None:
    """Called by Orcheo in each process."""
    api.register_node(NodeMetadata(name="GreetingNode", description="Greets.", category="test"), GreetingNode)
