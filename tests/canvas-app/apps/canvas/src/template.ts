/** What "Use template" creates; of the same name as one of the real canvas' templates. */
export const template = {
    name: "Simple Agent",
    script: `from langgraph.graph import END, START, StateGraph
from orcheo.graph.state import State
from orcheo.nodes.logic import SetVariableNode


def build():
    graph = StateGraph(State)
    graph.add_node("greeting", SetVariableNode(name="greeting", variables={"text": "hello"}))
    graph.add_edge(START, "greeting")
    graph.add_edge("greeting", END)
    return graph
`,
};
