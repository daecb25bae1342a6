/** How many connections RDS grants. */

/** GiB of the smallest sizes, which are no multiples of an xlarge. */
const smallSizes: Readonly<Record<string, number>> = { micro: 1, small: 2, medium: 4 };
/** GiB of an xlarge: general purpose (t, m), memory (r), more memory (x, z). Others are not known. */
const xlargeGiB: readonly (readonly [RegExp, number])[] = [
    [/^(t3|t4g|m\d+[a-z]*)$/, 16],
    [/^r\d+[a-z]*$/, 32],
    [/^x2g$/, 64],
    [/^x2ie?dn$/, 128],
];

/**
 * `max_connections` of RDS by default: LEAST(DBInstanceClassMemory / 9531392, 5000). A tenth of the memory is the
 * instance's own. Undefined for a class whose memory is not known here.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.MaxConnections
 */
export function rdsConnections(instanceClass: string): number | undefined {
    const [, family = "", size = ""] = instanceClass.split(".");
    const xlarge = xlargeGiB.find(([pattern]) => pattern.test(family))?.[1];
    if (xlarge === undefined) return undefined;
    const gib = memoryGiB(size, xlarge);
    return gib === undefined ? undefined : Math.min(5000, Math.floor((gib * 2 ** 30 * 0.9) / 9_531_392));
}

function memoryGiB(size: string, xlarge: number): number | undefined {
    const multiple = /^(\d*)xlarge$/.exec(size);
    if (multiple !== null) return xlarge * Number(multiple[1] === "" ? 1 : multiple[1]);
    if (size === "large") return xlarge / 2;
    return xlarge === 16 ? smallSizes[size] : undefined;
}
