//! What provokes each refusal.

/// A refusal and what provokes it: members of the policy beside `cors` and `headers`, and the request.
pub(super) struct Row {
    pub(super) code: &'static str,
    pub(super) status: u16,
    pub(super) policy: &'static str,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) host: &'static str,
    pub(super) lines: &'static [(&'static str, &'static str)],
    /// How many of the same come before it.
    pub(super) after: usize,
    /// What requests are counted in does not answer.
    pub(super) uncounted: bool,
    /// The body, where it is asked for.
    pub(super) body: &'static str,
    /// What the gateway cannot do with it.
    pub(super) unable: Unable,
}

/// What a gateway cannot do.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Unable {
    Nothing,
    ShowBody,
    ReplaceBody,
}

pub(super) const fn row(code: &'static str, status: u16, policy: &'static str) -> Row {
    Row {
        code,
        status,
        policy,
        method: "GET",
        path: "/a",
        host: "api.example.com",
        lines: &[],
        after: 0,
        uncounted: false,
        body: "",
        unable: Unable::Nothing,
    }
}

/// A body that its route's rule refuses.
const fn sent(code: &'static str, status: u16, body: &'static str) -> Row {
    Row {
        method: "POST",
        lines: &[
            ("content-type", "application/json"),
            ("content-length", "4"),
        ],
        body,
        ..row(code, status, READ)
    }
}

const READ: &str = r#""routes":[{"name":"a","path":"/a","validate":{"body":{"max_depth":1,"max_bytes":"16B","normalize":{"/a":["trim"]},"schema":{"type":"object","maxProperties":1}}}}]"#;

const HTTPS: [&str; 4] = [
    r#""request":{"hosts":["api.example.com"],"https":{"redirect":308}}"#,
    r#""request":{"hosts":["api.example.com"],"https":{"redirect":301}}"#,
    r#""request":{"hosts":["api.example.com"],"https":{"redirect":302}}"#,
    r#""request":{"hosts":["api.example.com"],"https":{"redirect":307}}"#,
];
const UNMATCHED: &str =
    r#""routes":[{"name":"b","path":"/b","methods":["POST"]}],"unmatched":"reject""#;

pub(super) const ROWS: &[Row] = &[
    Row {
        lines: &[("x-a", "a\0b")],
        ..row("header-malformed", 400, r#""request":{}"#)
    },
    Row {
        lines: &[("user-agent", "a"), ("user-agent", "b")],
        ..row("header-repeated", 400, r#""request":{}"#)
    },
    Row {
        lines: &[("content-length", "1, 1")],
        ..row("framing-conflict", 400, r#""request":{}"#)
    },
    Row {
        lines: &[("a", ""), ("b", "")],
        ..row("headers-too-many", 431, r#""request":{"max_headers":2}"#)
    },
    Row {
        lines: &[("a", "0123456789")],
        ..row(
            "headers-too-large",
            431,
            r#""request":{"max_header_bytes":"32B"}"#,
        )
    },
    Row {
        path: "/0123456789",
        ..row("path-too-long", 414, r#""request":{"max_path_bytes":"8B"}"#)
    },
    Row {
        path: "/%zz",
        ..row("path-malformed", 400, r#""request":{}"#)
    },
    Row {
        path: "/a/../b",
        ..row("path-ambiguous", 400, r#""request":{}"#)
    },
    Row {
        path: "/a?b&c",
        ..row("query-too-many", 400, r#""request":{"max_query_params":1}"#)
    },
    Row {
        method: "POST",
        lines: &[("content-length", "2")],
        ..row(
            "body-too-large",
            413,
            r#""request":{"max_body_bytes":"1B"}"#,
        )
    },
    Row {
        method: "POST",
        ..row("https-required", 403, HTTPS[0])
    },
    row("https-redirect", 308, HTTPS[0]),
    row("https-redirect", 301, HTTPS[1]),
    row("https-redirect", 302, HTTPS[2]),
    row("https-redirect", 307, HTTPS[3]),
    Row {
        host: "",
        ..row(
            "host-malformed",
            400,
            r#""request":{"hosts":["api.example.com"]}"#,
        )
    },
    Row {
        host: "evil.net",
        ..row(
            "host-not-allowed",
            421,
            r#""request":{"hosts":["api.example.com"]}"#,
        )
    },
    Row {
        method: "PUT",
        ..row(
            "method-not-allowed",
            405,
            r#""request":{"methods":["GET"]}"#,
        )
    },
    row("route-not-found", 404, UNMATCHED),
    Row {
        path: "/b",
        ..row("route-method-not-allowed", 405, UNMATCHED)
    },
    Row {
        after: 1,
        ..row(
            "rate-limit-exceeded",
            429,
            r#""rate_limits":[{"name":"l","quota":"1/1h"}]"#,
        )
    },
    Row {
        after: 1,
        ..row(
            "rate-limit-banned",
            429,
            r#""rate_limits":[{"name":"l","quota":"1/1h","ban":{"after":1,"within":"1m","for":"2h"}}]"#,
        )
    },
    sent("body-malformed", 400, "{"),
    sent("body-duplicate-key", 400, r#"{"a":1,"a":1}"#),
    sent("body-too-complex", 400, "[[1]]"),
    sent("input-invalid", 422, "1234"),
    Row {
        lines: &[("content-type", "text/html"), ("content-length", "4")],
        ..sent("content-type-not-allowed", 415, "")
    },
    Row {
        lines: &[
            ("content-type", "application/json"),
            ("content-encoding", "br"),
            ("content-length", "4"),
        ],
        ..sent("content-encoding-not-allowed", 415, "")
    },
    Row {
        unable: Unable::ShowBody,
        ..sent("body-unreadable", 413, "null")
    },
    Row {
        unable: Unable::ReplaceBody,
        ..sent("body-not-normalized", 422, r#"{"a":" "}"#)
    },
    Row {
        method: "POST",
        path: "/a?q=x%20Grobnik",
        ..row(
            "profanity-found",
            422,
            r#""routes":[{"name":"a","path":"/a","profanity":{"words":["grobnik"],"query":["q"]}}]"#,
        )
    },
    Row {
        uncounted: true,
        ..row(
            "rate-limit-unchecked",
            503,
            r#""rate_limits":[{"name":"l","quota":"1/1h"}]"#,
        )
    },
];
