/** Tells what runs, for how long, and where its log is. One line per event, so that it also reads well in CI. */
export interface Report {
    /** Runs a step; prints its start, every 30 s that it still runs, and its end with the seconds it took. */
    step<T>(name: string, log: string | undefined, work: () => Promise<T>): Promise<T>;
    note(text: string): void;
}

/** A report that also remembers. */
export interface TimedReport extends Report {
    /** Every step that has ended well, in the order of its end. */
    readonly steps: readonly Step[];
}

/** A step and how long it took. */
export interface Step {
    readonly name: string;
    readonly seconds: number;
}

const STILL_RUNNING_SECONDS = 30;

export function consoleReport(
    write: (line: string) => void = (line) => void process.stderr.write(`${line}\n`),
): TimedReport {
    const start = Date.now();
    const steps: Step[] = [];
    const clock = (): string => {
        const seconds = Math.round((Date.now() - start) / 1000);
        return `[${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}]`;
    };
    return {
        steps,
        note: (text) => {
            write(`${clock()} ${text}`);
        },
        async step(name, log, work) {
            const began = Date.now();
            const took = (): string => `${((Date.now() - began) / 1000).toFixed(1)} s`;
            write(`${clock()} ${name} …${log === undefined ? "" : ` (log: ${log})`}`);
            const ticker = setInterval(() => {
                write(`${clock()} ${name}: still running, ${took()}`);
            }, STILL_RUNNING_SECONDS * 1000);
            try {
                const result = await work();
                steps.push({ name, seconds: (Date.now() - began) / 1000 });
                write(`${clock()} ${name}: done in ${took()}`);
                return result;
            } catch (error) {
                write(`${clock()} ${name}: FAILED after ${took()}`);
                throw error;
            } finally {
                clearInterval(ticker);
            }
        },
    };
}
