/** Kubernetes quantities in the form the API server stores, so that a refresh finds no difference. */

export function millis(value: number): string {
    return value % 1000 === 0 ? String(value / 1000) : `${value}m`;
}

export function mebibytes(value: number): string {
    return value % 1024 === 0 ? `${value / 1024}Gi` : `${value}Mi`;
}
