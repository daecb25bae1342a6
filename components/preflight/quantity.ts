/** Kubernetes quantities as numbers. @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */

const units: Readonly<Record<string, number>> = {
    ...{ "": 1, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
    ...{ Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3, Ti: 1024 ** 4, Pi: 1024 ** 5, Ei: 1024 ** 6 },
};

/** Undefined for what is no quantity. */
export function numberOf(quantity: string): number | undefined {
    const [, number = "", unit = ""] = /^([0-9.]+)([A-Za-z]*)$/.exec(quantity) ?? [];
    const factor = units[unit];
    return number === "" || factor === undefined ? undefined : Number(number) * factor;
}

export const bytesOf = numberOf;
