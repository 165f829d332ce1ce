//! The built-in sets of response headers. Within version 1 of the policy file they are frozen.
//!
//! Values follow the OWASP Secure Headers project and its REST security cheat sheet; where a page would break, the
//! preset is the weaker and the operator's `set` the stronger.

use portcullis_config::Preset;

/// When a header is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Always, on one line, whatever the upstream sent.
    Always,
    /// Where the upstream sent none.
    Absent,
}

/// A header of a preset: name, value, when it is written.
pub(crate) type Fixed = (&'static str, &'static str, When);

/// What both presets have. HSTS keeps to the host itself: subdomains and preloading are for the operator to promise.
const COMMON: [Fixed; 6] = [
    ("cross-origin-opener-policy", "same-origin", When::Always),
    (
        "strict-transport-security",
        "max-age=31536000",
        When::Always,
    ),
    ("x-content-type-options", "nosniff", When::Always),
    ("x-dns-prefetch-control", "off", When::Always),
    ("x-frame-options", "DENY", When::Always),
    ("x-permitted-cross-domain-policies", "none", When::Always),
];

/// For JSON: nothing in a response is ever a page, or anybody else's to embed or to keep.
const API: [Fixed; 5] = [
    ("cache-control", "no-store", When::Absent),
    (
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        When::Absent,
    ),
    // Says nothing of data; of a response that is shown as a page after all it makes a page without foreign parts.
    ("cross-origin-embedder-policy", "require-corp", When::Absent),
    ("cross-origin-resource-policy", "same-origin", When::Always),
    ("referrer-policy", "no-referrer", When::Absent),
];

/// For pages.
const HTML: [Fixed; 5] = [
    (
        "content-security-policy",
        "default-src 'self'; form-action 'self'; base-uri 'self'; object-src 'none'; frame-ancestors 'none'",
        When::Absent,
    ),
    ("cross-origin-resource-policy", "same-site", When::Always),
    (
        "permissions-policy",
        "accelerometer=(), autoplay=(), camera=(), cross-origin-isolated=(), display-capture=(), \
         encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), keyboard-map=(), magnetometer=(), \
         microphone=(), midi=(), payment=(), picture-in-picture=(), publickey-credentials-get=(), \
         screen-wake-lock=(), sync-xhr=(self), usb=(), web-share=(), xr-spatial-tracking=(), clipboard-read=(), \
         clipboard-write=(), gamepad=(), hid=(), idle-detection=(), serial=(), unload=()",
        When::Absent,
    ),
    // A page with `no-referrer` sends `Origin: null` with its own forms, which then look foreign.
    (
        "referrer-policy",
        "strict-origin-when-cross-origin",
        When::Absent,
    ),
    // The auditor that this switched was itself a hole; 0 is the one safe value.
    ("x-xss-protection", "0", When::Always),
];

/// What tells an attacker which software answers, and which version of it. Sorted; `*` closes a prefix.
pub(crate) const LEAKS: [&str; 77] = [
    "$wsep",
    "host-header",
    "k-proxy-request",
    "liferay-portal",
    "microsoftofficewebserver",
    "microsoftsharepointteamservices",
    "oraclecommercecloud-version",
    "pega-host",
    "powered-by",
    "product",
    "server",
    "sourcemap",
    "via",
    "x-aspnet-version",
    "x-aspnetmvc-version",
    "x-atmosphere-*",
    "x-b3-*",
    "x-backend-server",
    "x-backside-transport",
    "x-beserver",
    "x-calculatedbetarget",
    "x-cf-powered-by",
    "x-cms",
    "x-cocoon-version",
    "x-content-encoded-by",
    "x-datadog-*",
    "x-debug-token",
    "x-debug-token-link",
    "x-diaginfo",
    "x-drupal-*",
    "x-dtagentid",
    "x-dthealthcheck",
    "x-dtinjectedservlet",
    "x-envoy-*",
    "x-feserver",
    "x-framework",
    "x-generated-by",
    "x-generator",
    "x-gitlab-meta",
    "x-jitsi-release",
    "x-joomla-version",
    "x-kong-*",
    "x-kubernetes-pf-flowschema-ui",
    "x-kubernetes-pf-prioritylevel-uid",
    "x-litespeed-*",
    "x-mod-pagespeed",
    "x-nextjs-*",
    "x-old-content-length",
    "x-oneagent-js-injection",
    "x-owa-version",
    "x-page-speed",
    "x-php-version",
    "x-powered-by",
    "x-powered-by-plesk",
    "x-powered-cms",
    "x-redirect-by",
    "x-ruxit-js-agent",
    "x-runtime",
    "x-server-powered-by",
    "x-sourcefiles",
    "x-sourcemap",
    "x-turbo-charged-by",
    "x-tyk-trace-id",
    "x-umbraco-version",
    "x-varnish-backend",
    "x-varnish-server",
    "x-version",
    "x-woodpecker-version",
    // Deprecated headers that do harm, or nothing.
    "expect-ct",
    "feature-policy",
    "p3p",
    "public-key-pins",
    "public-key-pins-report-only",
    "x-content-security-policy",
    "x-download-options",
    "x-webkit-csp",
    "x-xss-protection",
];

/// The headers that a preset writes.
pub(crate) fn written(preset: Preset) -> impl Iterator<Item = &'static Fixed> {
    let (common, own): (&[Fixed], &[Fixed]) = match preset {
        Preset::Api => (&COMMON, &API),
        Preset::Html => (&COMMON, &HTML),
        Preset::None => (&[], &[]),
    };
    common.iter().chain(own)
}

/// The headers that a preset removes; what it writes comes first.
pub(crate) fn removed(preset: Preset) -> impl Iterator<Item = &'static str> {
    let list: &[&str] = match preset {
        Preset::None => &[],
        Preset::Api | Preset::Html => &LEAKS,
    };
    list.iter().copied()
}
