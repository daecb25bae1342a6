/** What prod.yaml finds elsewhere: an S3 store, an identity provider and an ACME CA, with certificates of the stack's own CA. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { run } from "../../local/process.ts";
import type { ComposeFolder } from "./stack.ts";

/** The Compose file that {@link addNeighbours} writes, to merge into prod.yaml. */
export const neighbours = "neighbours.yaml";
export const issuer = "https://sign-in.localhost:8443";

/** After `prepare.sh`. */
export async function addNeighbours(folder: ComposeFolder): Promise<void> {
    const { STORE_IMAGE = "", PEBBLE_IMAGE = "", ORCHEO_SIGN_IN_IMAGE = "" } = inject("images");
    const { dir } = folder;
    await certify(folder, "store", "localhost");
    await certify(folder, "pebble", "pebble");
    const pebble = {
        listenAddress: ":14000",
        managementListenAddress: ":15000",
        certificate: "/tls/tls.crt",
        privateKey: "/tls/tls.key",
        // Traefik's own port: 80 is the machine's.
        httpPort: 8080,
        tlsPort: 8443,
        keyAlgorithm: "ecdsa",
    };
    writeFileSync(join(dir, "pebble.json"), JSON.stringify({ pebble }));
    writeFileSync(
        join(dir, neighbours),
        `services:
  store:
    image: ${STORE_IMAGE}
    environment:
      AWS_ENDPOINT_URL: https://localhost:8443
      AWS_CA_BUNDLE: /tls/ca.crt
      AWS_DEFAULT_REGION: eu-central-1
      AWS_ACCESS_KEY_ID: nobody
      AWS_SECRET_ACCESS_KEY: nobody
      S3_IGNORE_SUBDOMAIN_BUCKETNAME: "true"
    volumes: ["./secrets/store:/tls:ro"]
    networks: [outside]
  identity:
    image: ${ORCHEO_SIGN_IN_IMAGE}
    environment:
      SIGN_IN_ISSUER: ${issuer}
      SIGN_IN_TLS: /tls
      SIGN_IN_DATA: /var/lib/sign-in
      SIGN_IN_CLIENT_ID: orcheo
      SIGN_IN_ORIGIN: https://orcheo.localhost
    volumes: ["./secrets/sign-in-tls/tls.crt:/tls/tls.crt:ro", "./secrets/sign-in-tls/tls.key:/tls/tls.key:ro"]
    ports: ["127.0.0.1:8443:8443"]
    networks: { outside: { aliases: [sign-in.localhost] } }
  pebble:
    image: ${PEBBLE_IMAGE}
    command: [-config, /pebble.json]
    environment: { PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0" }
    volumes: ["./secrets/pebble:/tls:ro", "./pebble.json:/pebble.json:ro"]
    networks: [entrance]
  traefik:
    environment: { LEGO_CA_CERTIFICATES: /etc/orcheo/ca/ca.crt }
    networks: { entrance: { aliases: [orcheo.localhost] } }
  # A provider on the internet has a certificate that the image trusts.
  api:
    environment: { SSL_CERT_FILE: /etc/orcheo/ca/ca.crt }
  backup:
    environment: { AWS_CA_BUNDLE: /etc/orcheo/ca/ca.crt, BACKUP_ENDPOINT: "https://store:8443" }
`,
    );
}

/** A certificate for a server beside the stack, under its name and another. */
async function certify({ secrets }: ComposeFolder, server: string, name: string): Promise<void> {
    const at = join(secrets, server);
    const script = `set -e; mkdir -p ${at}; cd ${at}; cp ../ca/ca.crt .
printf 'subjectAltName=DNS:${server},DNS:${name}\\nsubjectKeyIdentifier=hash\\nauthorityKeyIdentifier=keyid:always\\n' > ext
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=${server} -keyout tls.key -out csr
openssl x509 -req -in csr -CA ../ca/ca.crt -CAkey ../ca/ca.key -set_serial 7 -days 2 -extfile ext -out tls.crt
chmod 755 .; chmod 444 tls.key tls.crt ca.crt`;
    await run("sh", ["-c", script]);
}
