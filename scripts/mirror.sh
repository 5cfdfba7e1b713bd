#!/usr/bin/env bash
# Prints apt lines for the Debian release of the box's images (trixie), from the mirror this machine is configured for:
# scripts/mirror.sh [RELEASE]. DEBIAN_MIRROR and DEBIAN_SECURITY_MIRROR name others.
set -euo pipefail

release=${1:-trixie}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

addresses() { # prints "main URI" and "security URI", from deb822 sources and from one-line sources
    { cat /etc/apt/sources.list.d/*.sources 2>/dev/null || true; } | awk '
        function told() { if (uri != "" && suites != "") print (suites ~ /security/ ? "security" : "main"), uri; uri = suites = "" }
        /^#/ { next }
        /^URIs:/ { uri = $2 }
        /^Suites:/ { $1 = ""; suites = $0 }
        /^[ \t]*$/ { told() }
        END { told() }'
    { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true; } | sed -n 's/^deb \(\[[^]]*\] \)\?\([^ ]*\) \([^ ]*\).*/\3 \2/p' |
        awk '{ print ($1 ~ /security/ ? "security" : "main"), $2 }'
}

found=$(addresses)
of() { awk -v kind="$1" '$1 == kind { print $2; exit }' <<<"$found"; }

main=${DEBIAN_MIRROR:-$(of main)}
security=${DEBIAN_SECURITY_MIRROR:-$(of security)}
[ -n "$main" ] || { echo "scripts/mirror.sh: apt knows no Debian mirror here; name one: DEBIAN_MIRROR=..." >&2; exit 1; }
[ -r "$keyring" ] || { echo "scripts/mirror.sh: install debian-archive-keyring first." >&2; exit 1; }
echo "deb [signed-by=$keyring] $main $release main"
[ -z "$security" ] || echo "deb [signed-by=$keyring] $security $release-security main"
