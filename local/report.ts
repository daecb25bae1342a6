/** Reports progress: one line per step with its duration and log, so that it also reads well in CI. */
export interface Report {
    /**
     * Runs a step and prints one line when it finishes, with its duration and log. Until then, a terminal shows the running
     * steps in a live last line; without a terminal, one line a minute lists them.
     */
    step<T>(name: string, log: string | undefined, work: (progress?: Progress) => Promise<T>): Promise<T>;
    note(text: string): void;
}

/** Reports the progress of a step in a few words: `update: 45 resources`. */
export type Progress = (text: string) => void;

/** A report that also records the steps. */
export interface TimedReport extends Report {
    /** Every successful step, in the order in which they finished. */
    readonly steps: readonly Step[];
}

/** A step and how long it took. */
export interface Step {
    readonly name: string;
    readonly seconds: number;
}

/** Destination of the lines. */
export interface Output {
    /** Whether a line can be overwritten. */
    readonly terminal: boolean;
    /** Width in characters. */
    readonly columns: number;
    write(text: string): void;
}

const STILL_RUNNING_SECONDS = 60;
const LIVE_SECONDS = 1;
const CLEAR_LINE = "\r\x1b[2K";

const standardError: Output = {
    get terminal() {
        return process.stderr.isTTY;
    },
    get columns() {
        return process.stderr.columns;
    },
    write: (text) => void process.stderr.write(text),
};

interface Running {
    readonly began: number;
    progress?: string;
}

export function consoleReport(output: Output = standardError): TimedReport {
    const start = Date.now();
    const steps: Step[] = [];
    const running = new Map<string, Running>();
    let ticker: NodeJS.Timeout | undefined;
    const line = (text: string): void => {
        output.write(`${output.terminal ? CLEAR_LINE : ""}${clock(Date.now() - start)} ${text}\n`);
        live();
    };
    const whatRuns = (): string =>
        [...running]
            .map(([name, { began, progress }]) => {
                const seconds = `${Math.round((Date.now() - began) / 1000)} s`;
                return `${name} (${progress === undefined ? seconds : `${progress}, ${seconds}`})`;
            })
            .join(", ");
    const live = (): void => {
        if (!output.terminal || running.size === 0) return;
        // A wrapped line could not be cleared.
        output.write(
            `${CLEAR_LINE}${`${clock(Date.now() - start)} ${whatRuns()} …`.slice(0, Math.max(output.columns - 1, 20))}`,
        );
    };
    const tick = (): void => {
        if (output.terminal) live();
        else line(`running: ${whatRuns()}`);
    };
    return {
        steps,
        note: line,
        async step(name, log, work) {
            const now: Running = { began: Date.now() };
            running.set(name, now);
            ticker ??= setInterval(tick, (output.terminal ? LIVE_SECONDS : STILL_RUNNING_SECONDS) * 1000);
            live();
            const ended = (outcome: string): void => {
                running.delete(name);
                if (running.size === 0) {
                    clearInterval(ticker);
                    ticker = undefined;
                }
                const seconds = ((Date.now() - now.began) / 1000).toFixed(1);
                line(`${name}: ${outcome} ${seconds} s${log === undefined ? "" : ` (log: ${log})`}`);
            };
            try {
                const result = await work((text) => (now.progress = text));
                steps.push({ name, seconds: (Date.now() - now.began) / 1000 });
                ended("done in");
                return result;
            } catch (error) {
                ended("FAILED after");
                throw error;
            }
        },
    };
}

function clock(milliseconds: number): string {
    const seconds = Math.round(milliseconds / 1000);
    return `[${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}]`;
}
