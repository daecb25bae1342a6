/** The disk space and memory that each command needs, measured on two cores (docs/embedded-cluster.md). */
export type Command = "up" | "test" | "bench" | "faults";

/** What already exists and therefore needs no additional space. */
export interface Present {
    /** Number of tools that this machine has not got yet. */
    readonly missingTools: number;
    /** How many of them are built here: no bundle that can be reached has them. */
    readonly toolsToBuild: number;
    /** Whether images have been built on this machine before. */
    readonly builder: boolean;
    /** Whether this cluster's data exists. */
    readonly cluster: boolean;
}

export interface Need {
    readonly place: "cache" | "state";
    readonly what: string;
    readonly gib: number;
}

/** Go's modules and compile results until every tool is built: the maximum in total, and for a single tool. */
const GO_GIB = 18;
const GO_GIB_PER_TOOL = 3;
/** All tools; each of them takes less than 0.3 GiB. */
const TOOLS_GIB = 2;
const TOOLS_GIB_PER_TOOL = 0.5;

/** BuildKit's cache: its garbage collection keeps it below 6 GiB, after the builds that run at the same time. */
const BUILDER_GIB: Record<Command, number> = { up: 5, test: 8, bench: 7, faults: 7 };
/** Once images have been built, only the layers of changed images are added. */
const BUILDER_AGAIN_GIB = 2;

/** Data of all concurrently running clusters: registry, unpacked images, volumes, logs. */
const CLUSTER_GIB: Record<Command, number> = { up: 5, test: 10, bench: 6, faults: 6 };
const CLUSTER_AGAIN_GIB = 2;

/** Peak memory of each command while one image is being built. */
export const MEMORY_GIB: Record<Command, number> = { up: 6, test: 8, bench: 6, faults: 8 };

/** The disk space that the missing tools need. */
export const toolsNeed = ({ missingTools, toolsToBuild }: Pick<Present, "missingTools" | "toolsToBuild">): Need[] => [
    {
        place: "cache",
        what: "Go's caches until every tool is built",
        gib: Math.min(GO_GIB, toolsToBuild * GO_GIB_PER_TOOL),
    },
    { place: "cache", what: "tools", gib: Math.min(TOOLS_GIB, missingTools * TOOLS_GIB_PER_TOOL) },
];

/** The disk space that a command needs on top of what is already used. */
export function needsOf(command: Command, { missingTools, toolsToBuild, builder, cluster }: Present): Need[] {
    const needs: Need[] = [
        ...toolsNeed({ missingTools, toolsToBuild }),
        { place: "cache", what: "image builder", gib: builder ? BUILDER_AGAIN_GIB : BUILDER_GIB[command] },
        {
            place: "state",
            what: command === "test" ? "clusters of the tests" : "cluster data",
            // The tests' clusters start empty every time.
            gib: cluster && command === "up" ? CLUSTER_AGAIN_GIB : CLUSTER_GIB[command],
        },
    ];
    return needs.filter(({ gib }) => gib > 0);
}

/** A folder, its file system, and the free space there. */
export interface Place {
    readonly dir: string;
    /** The same for folders that share their free space. */
    readonly device: number;
    readonly freeGiB: number;
}

/** One line per file system with too little space. */
export function shortages(command: Command, needs: readonly Need[], places: Record<Need["place"], Place>): string[] {
    const devices = [...new Set(needs.map(({ place }) => places[place].device))];
    return devices.flatMap((device) => {
        const here = needs.filter(({ place }) => places[place].device === device);
        const total = here.reduce((sum, { gib }) => sum + gib, 0);
        const used = (["cache", "state"] as const).filter((place) => here.some((need) => need.place === place));
        const free = Math.min(...used.map((place) => places[place].freeGiB));
        if (free >= total) return [];
        const dirs = [...new Set(used.map((place) => places[place].dir))].join(" and ");
        const parts = here.map(({ what, gib }) => `${what} ${gib}`).join(", ");
        const variables = used.map((place) => MOVED_BY[place]).join(" or ");
        return [
            `disk: found ${free.toFixed(1)} GiB free at ${dirs}; \`make ${command}\` needs about ${total} GiB more ` +
                `(${parts}): \`make prune\` deletes what can be rebuilt, and ${variables} selects another disk`,
        ];
    });
}

const MOVED_BY = { cache: "ORCHEO_CACHE_DIR", state: "ORCHEO_STATE_DIR" } as const;
