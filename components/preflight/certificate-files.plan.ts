/** Whether a file of CA certificates is one: what OpenSSL would pass over in silence is told by name. */
import { X509Certificate } from "node:crypto";

export interface CaFile {
    readonly path: string;
    readonly text: string;
    /**
     * It becomes a ConfigMap or a part of an object, which the API server takes up to 1 MiB of. Otherwise it may be the bundle
     * of a whole machine, where expired ones beside valid ones are usual.
     */
    readonly inCluster: boolean;
}

export interface CaProblem {
    readonly found: string;
    readonly remedy: string;
}

const pem = "accepted: a PEM file of CA certificates";
const leastRsaBits = 2048;
const mostBytes = 1_000_000;

/** Nothing of a private key, or of any other content, is part of a problem. */
export function caProblems({ path, text, inCluster }: CaFile, now = new Date()): CaProblem[] {
    const whole = form(path, text);
    if (whole !== undefined) return [whole];
    const keys = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(text)
        ? [
              {
                  found: `${path} holds a private key`,
                  remedy: `${pem} and nothing else; whoever can read the key can sign: replace it if others had the file`,
              },
          ]
        : [];
    const size = Buffer.byteLength(text);
    const large =
        inCluster && size > mostBytes
            ? [
                  {
                      found: `${path} has ${size} bytes`,
                      remedy: `accepted: at most ${mostBytes}: name only the CAs that are needed`,
                  },
              ]
            : [];
    return [...keys, ...large, ...foreignParts(path, text), ...certificates({ path, text, inCluster }, now)];
}

function form(path: string, text: string): CaProblem | undefined {
    if (text.trim() === "") return { found: `${path} is empty`, remedy: pem };
    if (text.includes("\0") && /-\0?-\0?-\0?B/.test(text))
        return { found: `${path} is UTF-16 text`, remedy: `${pem} in ASCII or UTF-8: save it so` };
    if (text.startsWith("\uFEFF"))
        return {
            found: `${path} begins with a byte order mark`,
            remedy: `${pem} without one: the first certificate would not be read`,
        };
    if (text.includes("-----BEGIN ")) return undefined;
    return /\uFFFD/.test(text)
        ? { found: `${path} is binary (DER?)`, remedy: `${pem}: openssl x509 -inform der -in FILE -out FILE.pem` }
        : { found: `${path} holds no certificate`, remedy: pem };
}

/** Requests, revocation lists and the like. */
function foreignParts(path: string, text: string): CaProblem[] {
    const labels = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map(([, label = ""]) => label);
    const foreign = labels.filter((label) => label !== "CERTIFICATE" && !label.endsWith("PRIVATE KEY"));
    return [...new Set(foreign)].map((label) => ({
        found: `${path} holds a ${label}`,
        remedy: `${pem}, each between BEGIN CERTIFICATE and END CERTIFICATE`,
    }));
}

function certificates({ path, text, inCluster }: CaFile, now: Date): CaProblem[] {
    const begun = text.split("-----BEGIN CERTIFICATE-----").length - 1;
    const blocks = text.match(/^-----BEGIN CERTIFICATE-----\s*$[^-]*^-----END CERTIFICATE-----\s*$/gm) ?? [];
    if (blocks.length === 0 && begun === 0) return [];
    const cut =
        blocks.length === begun
            ? []
            : [
                  {
                      found: `${path}: ${begun - blocks.length} of ${begun} certificates are cut off or indented`,
                      remedy: `${pem}, each from BEGIN to END at the beginning of a line`,
                  },
              ];
    const read = blocks.map(parsed);
    const valid = read.some((each) => each !== undefined && each.validFromDate <= now && each.validToDate >= now);
    const problems = read.flatMap((certificate, index) => {
        const which = `${path}: certificate ${index + 1} of ${blocks.length}`;
        if (certificate !== undefined) return unusable(certificate, which, !inCluster && valid ? undefined : now);
        return [{ found: `${which} cannot be read`, remedy: `${pem}; its text is damaged` }];
    });
    return [...cut, ...problems];
}

function parsed(block: string): X509Certificate | undefined {
    try {
        return new X509Certificate(block);
    } catch {
        return undefined;
    }
}

/** @param now  undefined where the dates do not matter */
function unusable(certificate: X509Certificate, which: string, now: Date | undefined): CaProblem[] {
    const named = `${which} (${certificate.subject.replaceAll("\n", ", ")})`;
    const { ca, validFromDate, validToDate, publicKey } = certificate;
    const bits = publicKey.asymmetricKeyDetails?.modulusLength;
    return [
        ...(ca ? [] : [{ found: `${named} is not a CA`, remedy: `${pem}: the one that signed this certificate` }]),
        ...(now !== undefined && validToDate < now
            ? [
                  {
                      found: `${named} expired on ${validToDate.toISOString().slice(0, 10)}`,
                      remedy: `${pem} that are valid: replace or remove it`,
                  },
              ]
            : []),
        ...(now !== undefined && validFromDate > now
            ? [
                  {
                      found: `${named} is not valid before ${validFromDate.toISOString()}`,
                      remedy: `${pem} that are valid; or set this machine's clock`,
                  },
              ]
            : []),
        ...(bits !== undefined && bits < leastRsaBits
            ? [
                  {
                      found: `${named} has an RSA key of ${bits} bits`,
                      remedy: `${pem} with at least ${leastRsaBits} bits: OpenSSL takes no less`,
                  },
              ]
            : []),
    ];
}
