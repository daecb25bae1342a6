# Sourced by build steps that download. Behind a gateway that inspects TLS, its CAs come as the build secret `ca-bundle` and
# are trusted in addition to the public ones. Nothing of it stays in the image.
if [ -s /run/secrets/ca-bundle ]; then
    cat /etc/ssl/certs/ca-certificates.crt /run/secrets/ca-bundle > /run/authorities.pem
    trap 'rm /run/authorities.pem' EXIT
    export PIP_CERT=/run/authorities.pem SSL_CERT_FILE=/run/authorities.pem
fi
