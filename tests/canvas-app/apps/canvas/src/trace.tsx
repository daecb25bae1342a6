import { useState } from "react";

export interface Span {
    span_id: string;
    name?: string | null;
    attributes: Record<string, unknown>;
    status?: { code: string };
}

/** Later news of a span replace the earlier ones. */
export const merged = (before: readonly Span[], news: readonly Span[]): Span[] => [
    ...new Map([...before, ...news].map((span) => [span.span_id, span])).values(),
];

const resultsIn = (state: unknown) => (state as { results?: Record<string, unknown> } | undefined)?.results ?? {};

/** What the step added to the run's results. */
function Details({ span }: { span: Span }) {
    const before = resultsIn(span.attributes["orcheo.workflow.state.before"]);
    const after = resultsIn(span.attributes["orcheo.workflow.state.after"]);
    const added = Object.entries(after).filter(([node]) => !(node in before));
    return (
        <section>
            <h3>{span.name}</h3>
            <h4>State diff</h4>
            {added.map(([node, value]) => (
                <div key={node}>
                    <code>results.{node}</code>
                    <p>After: {JSON.stringify(value, null, 2)}</p>
                </div>
            ))}
        </section>
    );
}

export function Trace({ spans }: { spans: readonly Span[] }) {
    const [selected, setSelected] = useState<string>();
    const shown = spans.find(({ span_id }) => span_id === selected) ?? spans[0];
    if (shown === undefined) return <p>No trace spans recorded yet for this execution.</p>;
    return (
        <>
            <h2>Execution trace</h2>
            {spans.map((span, index) => (
                <button
                    key={span.span_id}
                    aria-pressed={span === shown}
                    aria-label={`${span === shown ? "Selected" : "Not selected"} span card for ${span.name} at level ${Math.min(index, 1)}`}
                    onClick={() => setSelected(span.span_id)}
                >
                    {span.name}{" "}
                    <small aria-label={`Status: ${span.status?.code === "OK" ? "success" : "pending"}`}>
                        {span.status?.code}
                    </small>
                </button>
            ))}
            <Details span={shown} />
        </>
    );
}
