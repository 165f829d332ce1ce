//! Envoy's bootstrap configuration for a set of listeners, each with at most one filter, and one upstream each.
//!
//! As near to `envoy/envoy.yaml` as the purpose allows. What differs does so that a scenario means here what it means in
//! wasmtime: one hop is trusted, because the client's address can only be sent as X-Forwarded-For; trailers pass over HTTP/1.1
//! too; and Envoy adds no request id of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::document::Document;

/// The configuration that people copy.
const COPIED: &str = include_str!("../../../envoy/envoy.yaml");

/// The name of the listener that answers by itself.
pub(super) const FENCE: &str = "fence";

/// One port of Envoy with an upstream behind it.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Names the listener, its cluster and its plugin; unique among the listeners of one Envoy.
    pub name: String,
    /// The filter in front of the upstream; `None` for a bare proxy.
    pub filter: Option<Filter>,
    /// Where the requests go.
    pub upstream: SocketAddr,
    /// Compress responses of at least 1000 bytes, as `envoy/envoy.yaml` does?
    pub gzip: bool,
}

/// A proxy-wasm filter.
#[derive(Clone, Debug)]
pub struct Filter {
    /// The file of the module.
    pub module: PathBuf,
    /// The plugin's configuration.
    pub configuration: Configuration,
    /// Filters of one id and one module share a VM on each worker, and their shared data.
    pub vm_id: String,
    /// Hold a request's headers until the filter lets its body go?
    pub hold_headers: bool,
    /// Take the filter from a file that Envoy watches, so that it can be changed while it serves? Otherwise it is part of the
    /// configuration, and Envoy does not start with one that the filter refuses.
    pub reloadable: bool,
}

/// The two forms in which Envoy takes a plugin's configuration.
#[derive(Clone, Debug)]
pub enum Configuration {
    /// `google.protobuf.StringValue`: the filter gets the text.
    Text(String),
    /// `google.protobuf.Struct`: the filter gets protobuf bytes.
    Struct(Value),
}

/// The whole configuration. Files that Envoy watches are in `directory`.
pub(super) fn bootstrap(listeners: &[Listener], directory: &Path) -> Value {
    let fence = json!({
        "name": FENCE,
        "address": loopback(),
        "filter_chains": [{"filters": [connection_manager(
            FENCE,
            Vec::new(),
            json!({"match": {"prefix": "/"}, "direct_response": {"status": 204}}),
        )]}],
    });
    json!({
        // What Envoy takes from files it wants to have asked for under a name.
        "node": {"id": "portcullis", "cluster": "portcullis"},
        "admin": {"address": loopback()},
        "stats_config": stats_config(),
        "static_resources": {
            "listeners": listeners.iter().map(|each| listener(each, directory)).chain([fence]).collect::<Vec<_>>(),
            "clusters": listeners.iter().map(cluster).collect::<Vec<_>>(),
        },
    })
}

/// How metrics get their labels and buckets: as they will where the configuration is copied.
pub(super) fn stats_config() -> Value {
    let copied = Document::read("envoy.yaml", COPIED.as_bytes()).ok();
    let part = copied.and_then(|document| document.value.get("stats_config").cloned());
    part.unwrap_or_default()
}

fn loopback() -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": 0}})
}

/// The file out of which Envoy takes this listener's filter, if it may change.
pub(super) fn watched(directory: &Path, listener: &str) -> PathBuf {
    directory.join(format!("{listener}.json"))
}

/// What that file holds: the answer of a discovery service with this one filter.
pub(super) fn discovered(listener: &str, filter: &Filter) -> Value {
    let mut resource = wasm(listener, filter);
    if let Some(fields) = resource.as_object_mut() {
        fields.insert(
            "@type".into(),
            "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig".into(),
        );
    }
    json!({"resources": [resource]})
}

fn listener(listener: &Listener, directory: &Path) -> Value {
    let route = json!({
        "match": {"prefix": "/"},
        "route": {"cluster": listener.name, "timeout": "30s"},
        // Envoy's own notes to the upstream: no scenario asked for them.
        "request_headers_to_remove": ["x-envoy-external-address", "x-envoy-expected-rq-timeout-ms", "x-envoy-internal"],
    });
    let filters = listener
        .gzip
        .then(compressor)
        .into_iter()
        .chain(
            listener
                .filter
                .as_ref()
                .map(|filter| match filter.reloadable {
                    true => discovery(&listener.name, directory),
                    false => wasm(&listener.name, filter),
                }),
        );
    json!({
        "name": listener.name,
        "address": loopback(),
        "per_connection_buffer_limit_bytes": 1_048_576,
        "filter_chains": [{"filters": [connection_manager(&listener.name, filters.collect(), route)]}],
    })
}

fn connection_manager(name: &str, mut filters: Vec<Value>, route: Value) -> Value {
    filters.push(typed(
        "envoy.filters.http.router",
        "envoy.extensions.filters.http.router.v3.Router",
        json!({"suppress_envoy_headers": true}),
    ));
    typed(
        "envoy.filters.network.http_connection_manager",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        json!({
            "stat_prefix": name,
            "codec_type": "AUTO",
            "use_remote_address": true,
            "xff_num_trusted_hops": 1,
            // The upstream shall see the scenario's addresses, and not that of the machine the tests run on.
            "skip_xff_append": true,
            "generate_request_id": false,
            "preserve_external_request_id": true,
            "normalize_path": false,
            "merge_slashes": false,
            "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
            "server_header_transformation": "PASS_THROUGH",
            // Past the limits that a policy may set, so that it is the policy which answers.
            "max_request_headers_kb": 192,
            "common_http_protocol_options": {"max_headers_count": 2000},
            "http_protocol_options": {"enable_trailers": true},
            "route_config": {"virtual_hosts": [{"name": name, "domains": ["*"], "routes": [route]}]},
            "http_filters": filters,
        }),
    )
}

fn compressor() -> Value {
    typed(
        "envoy.filters.http.compressor",
        "envoy.extensions.filters.http.compressor.v3.Compressor",
        json!({
            "compressor_library": typed("gzip", "envoy.extensions.compression.gzip.compressor.v3.Gzip", json!({})),
            "response_direction_config": {"common_config": {"min_content_length": 1000}},
        }),
    )
}

fn discovery(name: &str, directory: &Path) -> Value {
    json!({"name": name, "config_discovery": {
        "config_source": {
            "path_config_source": {"path": watched(directory, name)},
            "resource_api_version": "V3",
        },
        "type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"],
    }})
}

fn wasm(name: &str, filter: &Filter) -> Value {
    let configuration = match &filter.configuration {
        Configuration::Text(text) => {
            json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text})
        }
        Configuration::Struct(value) => {
            json!({"@type": "type.googleapis.com/google.protobuf.Struct", "value": value})
        }
    };
    let environment = if filter.hold_headers {
        json!({"PORTCULLIS_HOLD_HEADERS": "1"})
    } else {
        json!({})
    };
    typed(
        name,
        "envoy.extensions.filters.http.wasm.v3.Wasm",
        json!({"config": {
            "name": name,
            "root_id": name,
            "failure_policy": "FAIL_RELOAD",
            "reload_config": {"backoff": {"base_interval": "0.1s"}},
            "allow_on_headers_stop_iteration": filter.hold_headers,
            "configuration": configuration,
            "vm_config": {
                "vm_id": filter.vm_id,
                "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": filter.module}},
                "environment_variables": {"key_values": environment},
            },
        }}),
    )
}

fn cluster(listener: &Listener) -> Value {
    let upstream = json!({"socket_address": {
        "address": listener.upstream.ip().to_string(),
        "port_value": listener.upstream.port(),
    }});
    json!({
        "name": listener.name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": {
            "cluster_name": listener.name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": upstream}}]}],
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http_protocol_options": {"enable_trailers": true}},
            },
        },
    })
}

/// One extension of Envoy: a name, and its message with the type written into it.
fn typed(name: &str, message: &str, mut fields: Value) -> Value {
    if let Some(fields) = fields.as_object_mut() {
        fields.insert(
            "@type".into(),
            format!("type.googleapis.com/{message}").into(),
        );
    }
    json!({"name": name, "typed_config": fields})
}
