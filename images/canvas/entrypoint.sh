#!/bin/sh
# prepare: writes the site with its settings to $CANVAS_TARGET (an emptyDir; the root filesystem is read-only).
# serve:   runs nginx on what `prepare` wrote.
set -eu
LC_ALL=C
export LC_ALL

template=${CANVAS_TEMPLATE:-/usr/share/orcheo/canvas}
target=${CANVAS_TARGET:-/srv/canvas}
tls=${CANVAS_TLS:-/etc/orcheo/tls}
run=${CANVAS_RUN:-/tmp/nginx}
ipv6=${CANVAS_IPV6:-/proc/net/if_inet6}
names="BACKEND_URL AUTH_ISSUER AUTH_CLIENT_ID AUTH_REDIRECT_URI AUTH_SCOPES AUTH_AUDIENCE AUTH_ORGANIZATION"
names="$names AUTH_PROVIDER_PARAM AUTH_PROVIDER_GOOGLE AUTH_PROVIDER_GITHUB CHATKIT_DOMAIN_KEY"
host='[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?'
placeholder='__VITE_ORCHEO_[A-Z0-9_]*[A-Z0-9]__'
problems=""

# Exit code 78 (EX_CONFIG): permanent failure, retrying will not help.
die() {
    printf 'canvas: %s\n' "$1" >&2
    exit 78
}

problem() {
    problems="$problems
  - $1"
}

# Only called with the names above, so `eval` sees no outside text.
value_of() {
    eval "printf '%s' \"\${VITE_ORCHEO_$1-}\""
}

words() {
    printf '%s' "$*"
}

matches() {
    printf '%s\n' "$1" | grep -Eq "^($2)\$"
}

origin_of() {
    printf '%s\n' "$1" | sed -E 's|^(https?://[^/]*).*|\1|'
}

# check_origins NAME VALUE ACCEPTED
check_origins() {
    case $2 in
    *[!A-Za-z0-9' '.:/-]*) problem "$1 holds more than space-separated https:// origins." ;;
    *)
        for origin in $2; do
            matches "$origin" "$3" ||
                problem "$1 has \"$origin\"; give origins such as https://cdn.example.com."
        done
        ;;
    esac
}

check_settings() {
    for known in $(env | sed -n 's/^VITE_ORCHEO_\([A-Za-z0-9_]*\)=.*/\1/p'); do
        case " $names " in
        *" $known "*) ;;
        *) problem "VITE_ORCHEO_$known is not a setting of the canvas. Known: $names." ;;
        esac
    done
    for name in $names; do
        value=$(value_of "$name")
        # The values go into JavaScript strings and response headers: nothing that could end either.
        case $value in
        *[!A-Za-z0-9' '._:/@+=,~%?#-]*)
            problem "VITE_ORCHEO_$name holds a character other than letters, digits, spaces and . _ : / @ + = , ~ % ? # -"
            continue
            ;;
        esac
        case $name in
        BACKEND_URL)
            matches "$value" "https?://$host" ||
                problem "VITE_ORCHEO_BACKEND_URL is \"$value\"; give an origin such as https://orcheo.example.com (no path, no / at the end)."
            ;;
        AUTH_ISSUER | AUTH_REDIRECT_URI)
            matches "$value" "|https://$host(/[^ ]*)?|http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?(/[^ ]*)?" ||
                problem "VITE_ORCHEO_$name is \"$value\"; give an https:// URL (http:// only for localhost) or leave it empty."
            ;;
        AUTH_PROVIDER_*)
            matches "$value" '[A-Za-z0-9._-]*' ||
                problem "VITE_ORCHEO_$name is \"$value\"; give one word of letters, digits, . _ - or leave it empty."
            ;;
        esac
    done
    if [ -n "${VITE_ORCHEO_AUTH_ISSUER-}" ] && [ -z "${VITE_ORCHEO_AUTH_CLIENT_ID-}" ]; then
        problem "VITE_ORCHEO_AUTH_ISSUER is set and VITE_ORCHEO_AUTH_CLIENT_ID is not; a login needs both."
    fi
    if [ -z "${VITE_ORCHEO_AUTH_ISSUER-}" ] && [ -n "${VITE_ORCHEO_AUTH_CLIENT_ID-}" ]; then
        problem "VITE_ORCHEO_AUTH_CLIENT_ID is set and VITE_ORCHEO_AUTH_ISSUER is not; a login needs both."
    fi
    check_origins CANVAS_CSP_EXTRA_ORIGINS "${CANVAS_CSP_EXTRA_ORIGINS-}" "https://$host"
    # http://localhost: a helper on the person's own machine.
    check_origins CANVAS_CSP_CONNECT_ORIGINS "${CANVAS_CSP_CONNECT_ORIGINS-}" "https://$host|http://localhost:[0-9]{1,5}"
    [ -z "$problems" ] || die "these settings cannot be used, nothing was written:$problems"
}

# The policy follows from the build: what it loads from elsewhere is allowed, and nothing else.
write_csp() {
    # A tag may run over several lines.
    scripts=$(tr '\n' ' ' <index.html | grep -oE '<script[^>]*src="https://[^"]*"' | sed -E 's|.*src="(https://[^/"]*).*|\1|' | sort -u)
    # Monaco's loader brings the editor's scripts, styles and fonts from this one directory.
    monaco=$(grep -rhoE 'https://cdn\.jsdelivr\.net/npm/monaco-editor@[0-9.]+/' --include='*.js' . | sort -u)
    # Form validators are compiled with `new Function`: only a build that holds such code may do so.
    code=$(grep -rlF 'new Function(' --include='*.js' . || true)
    backend=$(value_of BACKEND_URL)
    issuer=$(value_of AUTH_ISSUER)
    if [ -n "$issuer" ]; then issuer=$(origin_of "$issuer"); fi
    websocket="ws${backend#http}"
    # shellcheck disable=SC2086 # lists of origins are split into words on purpose
    {
        scripts=$(words $scripts ${CANVAS_CSP_EXTRA_ORIGINS-})
        printf 'add_header Content-Security-Policy "'
        printf "default-src 'self'; script-src %s; " "$(words "'self'" ${code:+"'unsafe-eval'"} $scripts $monaco)"
        printf "style-src %s; " "$(words "'self'" "'unsafe-inline'" $monaco)"
        printf "font-src %s; " "$(words "'self'" data: $monaco)"
        printf "img-src 'self' data: blob: https:; worker-src 'self' blob:; "
        printf "connect-src %s; " "$(words "'self'" $backend $websocket $issuer ${CANVAS_CSP_CONNECT_ORIGINS-} $scripts)"
        printf "frame-src %s; " "$(words "'self'" $issuer $scripts)"
        printf "form-action %s; " "$(words "'self'" $issuer)"
        printf "object-src 'none'; base-uri 'self'; frame-ancestors 'none'"
        printf '" always;\n'
    } >"$1"
}

# A file that holds a setting gets a new name, for browsers keep hashed assets for a year; so does every file that
# mentions a renamed one. These files may name each other in a circle, hence one hash of all their contents together.
rename_changed() {
    work=$1
    while :; do
        sed -n 's|^\./assets/\(.*/\)\{0,1\}||p' "$work/changed" >"$work/renamed"
        { grep -rlF -f "$work/renamed" --include='*.js' --include='*.css' --include='*.html' . || true; } |
            sort -u - "$work/changed" >"$work/next"
        if cmp -s "$work/next" "$work/changed"; then break; fi
        mv "$work/next" "$work/changed"
    done
    hash=$(while read -r file; do cat "$file"; done <"$work/changed" | sha256sum | cut -c1-10)
    while read -r name; do
        printf 's|%s|%s|g\n' "$(printf '%s' "$name" | sed 's/[][\.*^$]/\\&/g')" "${name%.*}.$hash.${name##*.}"
    done <"$work/renamed" >"$work/rename.sed"
    while read -r file; do
        sed -i -f "$work/rename.sed" "$file"
        case $file in
        ./assets/*) mv "$file" "${file%.*}.$hash.${file##*.}" ;;
        esac
    done <"$work/changed"
}

prepare() {
    check_settings
    [ -f "$template/index.html" ] || die "$template/index.html is missing: this is not a built canvas."
    # Everything is written next to the old site and swapped in at the end: an interrupted run can simply be repeated.
    next=$target/next
    rm -rf "$next"
    mkdir -p "$next/work"
    cp -R "$template" "$next/site"
    cd "$next/site"
    for name in $names; do
        printf 's|__VITE_ORCHEO_%s__|%s|g\n' "$name" "$(value_of "$name")"
    done >"$next/work/settings.sed"
    { grep -rlE "$placeholder" . || true; } | sort >"$next/work/changed"
    while read -r file; do sed -i -f "$next/work/settings.sed" "$file"; done <"$next/work/changed"
    left=$(grep -rhoE "$placeholder" . | sort -u || true)
    [ -z "$left" ] || die "this build asks for settings this image does not know: $left"
    rename_changed "$next/work"
    write_csp "$next/csp.conf"
    find . -type f \( -name '*.js' -o -name '*.css' -o -name '*.html' -o -name '*.svg' -o -name '*.json' \) -size +1k \
        -exec gzip -n -k {} +
    rm -rf "$next/work" "$target/site" "$target/csp.conf"
    mv "$next/csp.conf" "$target/csp.conf"
    mv "$next/site" "$target/site"
    rmdir "$next"
    printf 'canvas: %s files prepared for %s\n' "$(find "$target/site" -type f | wc -l)" "$(value_of BACKEND_URL)"
}

# listen PLAIN SECURE: on every address family of this pod; without IPv6 in the kernel this file does not exist, and nginx
# would not start.
listen() {
    port=$1
    if [ -f "$tls/tls.crt" ]; then
        port="$2 ssl"
        printf 'http2 on;\nssl_certificate %s/tls.crt;\nssl_certificate_key %s/tls.key;\n' "$tls" "$tls"
    fi
    printf 'listen %s;\n' "$port"
    if [ -e "$ipv6" ]; then printf 'listen [::]:%s;\n' "$port"; fi
}

# What nginx has as variables, in Prometheus' format. Requests by status are counted by the entrance, and in the log.
metrics() {
    printf 'server {\n'
    listen "$1" "$1"
    printf 'access_log off;\nlocation = /metrics {\ndefault_type "text/plain; version=0.0.4";\nreturn 200 "'
    for state in active reading writing waiting; do
        printf '# TYPE nginx_connections_%s gauge\\nnginx_connections_%s $connections_%s\\n' "$state" "$state" "$state"
    done
    printf '";\n}\nlocation / {\nreturn 404;\n}\n}\n'
}

serve() {
    [ -f "$target/site/index.html" ] || die "$target/site is missing: run this image with \"prepare\" first (an init container)."
    mkdir -p "$run"
    listen 8080 8443 >"$run/listen.conf"
    rm -f "$run/metrics.conf"
    if [ -n "${ORCHEO_METRICS_PORT-}" ]; then metrics "$ORCHEO_METRICS_PORT" >"$run/metrics.conf"; fi
    watch_certificate &
    exec nginx -e stderr -c /etc/nginx/canvas.conf
}

# cert-manager renews certificates long before they expire, so infrequent checks are enough.
watch_certificate() {
    seen=$(cksum "$tls/tls.crt" 2>/dev/null || true)
    while sleep "${ORCHEO_RELOAD_SECONDS:-3600}"; do
        now=$(cksum "$tls/tls.crt" 2>/dev/null || true)
        if [ "$now" != "$seen" ] && [ -n "$now" ]; then
            printf 'canvas: the certificate changed, nginx reads it again\n'
            kill -HUP "$(cat /tmp/nginx/nginx.pid)" && seen=$now
        fi
    done
}

case ${1-} in
prepare) prepare ;;
serve) serve ;;
*) die "say \"prepare\" (write the site with its settings) or \"serve\" (run nginx)." ;;
esac
