//! Secrets in settings.

/// What stands for a secret.
pub const SECRET: &str = "s3cret";

/// Settings that hold [`SECRET`] under a name that says so, or where a password stands, and beside it `harmless` and a number that may be shown.
pub const PLANTED: [(&str, &str); 15] = [
    ("DD_ENV", "harmless1,token=s3cret"),
    ("DD_SERVICE", "harmless2,password=s3cret"),
    ("DD_VERSION", "harmless3,api_key=s3cret"),
    ("DD_SERVICE_MAPPING", "harmless4:b,token:s3cret"),
    ("DD_EXTERNAL_ENV", "harmless5,token=s3cret"),
    ("DD_TRACE_SAMPLE_RATE", "harmless6,token=s3cret"),
    ("DD_TAGS", "team:harmless7,db.password:s3cret,note:token=s3cret,url:https://me:s3cret@shop.example/"),
    ("DD_TRACE_SAMPLING_RULES", r#"[{"tags":{"plan":"harmless8","api_key":"s3cret"},"sample_rate":1}]"#),
    ("DD_TRACE_HEADER_TAGS", "harmless9:a,note:token=s3cret"),
    ("DD_GIT_REPOSITORY_URL", "https://me:s3cret@harmless10.example/r.git"),
    ("DD_TRACE_LOG_FILE_LEVEL", "harmless11 password=s3cret"),
    ("DD_TRACE_PROPAGATION_STYLE", "datadog,harmless12,token=s3cret"),
    ("DD_TRACE_RATE_LIMIT", "harmless13 secret: s3cret"),
    ("DD_LOGGING_RATE", "harmless14 Bearer s3cret"),
    ("DD_TRACE_PARTIAL_FLUSH_MIN_SPANS", "https://me:s3cret@harmless15"),
];

/// Settings that hold nothing else.
pub const SECRET_SETTINGS: [(&str, &str); 8] = [
    ("DD_API_KEY", SECRET),
    ("DD_APP_KEY", SECRET),
    ("DD_API_KEYS", SECRET),
    ("DD_SPAN_SAMPLING_RULES", r#"[{"tags":{"api_key":"s3cret"#),
    ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=s3cret"),
    ("OTEL_RESOURCE_ATTRIBUTES", "api.token=s3cret"),
    ("HTTP_PROXY", "http://me:s3cret@127.0.0.1:9"),
    ("DD_DOGSTATSD_URL", "http://me:s3cret@127.0.0.1:9"),
];
