//! Clients of the AWS services, all made the same way.
//!
//! Whether they talk to AWS, to the local stack or to an emulator is decided by `AWS_ENDPOINT_URL` and by nothing else.

mod capacity;

use std::{
    error::Error,
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, ConfigBag, Intercept, Region, RuntimeComponents, SharedCredentialsProvider, SharedInterceptor,
    StalledStreamProtectionConfig, interceptors::BeforeTransmitInterceptorContextMut, retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpClient, http_client_fn};
use aws_types::SdkConfig;
use http::HeaderValue;

use crate::config::Settings;
use capacity::CapacityMeter;

/// Attempts in all at one AWS call, the first included. Writes that must not count twice carry their own guard.
const ATTEMPTS: u32 = 4;

/// Longest pause before the second attempt; it doubles each time. The SDK's own, a second, is longer than people wait.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How many times as long as others SES may take: ten mails, a batch of the stream, still fit in the mailer's time.
const SES_SLOWER: u32 = 3;

/// Amazon Root CA 1 to 4, and the Starfield root that signed them all: <https://www.amazontrust.com/repository/>.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon_roots.pem");

/// Makes a client for each AWS service that is asked for: a function that asks for none of S3 carries none of its SDK. All of
/// them share their connections and what they trust. Making one costs no network, but a good part of a start's time: those that
/// are asked for in several places are made once.
#[derive(Clone)]
pub struct Clients {
    config: SdkConfig,
    dynamodb: Arc<OnceLock<aws_sdk_dynamodb::Client>>,
    secrets: Arc<OnceLock<aws_sdk_secretsmanager::Client>>,
}

impl Clients {
    /// What makes the clients that `settings` describe.
    pub fn new(settings: &Settings) -> Self {
        Self { config: sdk_config(settings), dynamodb: Arc::default(), secrets: Arc::default() }
    }

    /// Of DynamoDB.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let client = self.dynamodb.get_or_init(|| {
            // Its answers are small, and come as one: the time of an attempt is bound enough.
            let mut config = aws_sdk_dynamodb::config::Builder::from(&self.config)
                .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
            config.push_interceptor(always(TraceHeader)).push_interceptor(always(CapacityMeter));
            aws_sdk_dynamodb::Client::from_conf(config.build())
        });
        client.clone()
    }

    /// Of S3.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let mut config = aws_sdk_s3::config::Builder::from(&self.config);
        config.push_interceptor(always(TraceHeader));
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// Of Secrets Manager.
    pub fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        let client = self.secrets.get_or_init(|| {
            let mut config = aws_sdk_secretsmanager::config::Builder::from(&self.config);
            config.push_interceptor(always(TraceHeader));
            aws_sdk_secretsmanager::Client::from_conf(config.build())
        });
        client.clone()
    }

    /// Of SES. SendEmail has no idempotency token: after a lost answer the SDK would send twice. The stream tries again. An answer
    /// that is not waited for is a lost one, so that a slow SES is given longer than anything else.
    pub fn ses(&self) -> aws_sdk_sesv2::Client {
        let mut config = aws_sdk_sesv2::config::Builder::from(&self.config).retry_config(RetryConfig::disabled());
        if let Some(timeouts) = self.config.timeout_config() {
            let longest = timeouts.operation_attempt_timeout().map(|time| time * SES_SLOWER);
            let mut slower = timeouts.to_builder();
            slower.set_operation_attempt_timeout(longest).set_operation_timeout(longest);
            config = config.timeout_config(slower.build());
        }
        config.push_interceptor(always(TraceHeader));
        aws_sdk_sesv2::Client::from_conf(config.build())
    }
}

/// An interceptor that no call can do without: the SDK need not ask before each of its hooks whether this one does.
fn always(interceptor: impl Intercept + 'static) -> SharedInterceptor {
    SharedInterceptor::permanent(interceptor)
}

/// Amazon's own authorities stand behind the endpoints of AWS (<https://www.amazontrust.com/repository/>), but in China and in
/// partitions of their own: nobody else can pass for one, and the hundred and fifty that the machine trusts are not read at each start.
/// Where `AWS_ENDPOINT_URL` leads elsewhere, or `SSL_CERT_FILE` names others, the machine's are asked.
fn trusted(settings: &Settings) -> TrustStore {
    let aws = &settings.aws;
    let elsewhere = aws.endpoint_url.as_deref().is_some_and(|url| url.starts_with("https:"));
    let apart = ["cn-", "us-iso", "eu-iso"].iter().any(|partition| aws.region.starts_with(partition));
    if elsewhere || apart || aws.own_certificates {
        return TrustStore::default();
    }
    TrustStore::empty().with_pem_certificate(AMAZON_ROOTS)
}

fn sdk_config(settings: &Settings) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(settings.aws.connect_timeout)
        .operation_attempt_timeout(settings.aws.attempt_timeout)
        .operation_timeout(settings.aws.operation_timeout)
        .build();
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(FIRST_PAUSE)
        .with_max_backoff(LONGEST_PAUSE);
    let https = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        // It cannot fail.
        .tls_context(TlsContext::builder().with_trust_store(trusted(settings)).build().unwrap_or_default())
        .build_https();
    // Handed over by itself it would make a connector for each client, beside the one that all share, and throw it away: so that
    // the machine's certificates are read early, which are hardly ever asked for.
    let https = http_client_fn(move |settings, components| https.http_connector(settings, components));
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(https)
        .region(Region::new(settings.aws.region.clone()))
        .retry_config(retries)
        .timeout_config(timeouts);
    config.set_endpoint_url(settings.aws.endpoint_url.clone());
    if let Some(keys) = &settings.aws.credentials {
        let credentials = Credentials::new(
            &keys.access_key_id,
            &keys.secret_access_key,
            keys.session_token.clone(),
            None,
            "environment",
        );
        config = config.credentials_provider(SharedCredentialsProvider::new(credentials));
    }
    config.build()
}

/// An error and its causes on one line. The SDK's own rendering would add the debug form, in which a failed condition
/// shows the whole item.
pub fn reason(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}

tokio::task_local! {
    static TRACE: HeaderValue;
}

/// Runs `work` so that each AWS call that it makes carries `trace`, the invocation's own `X-Amzn-Trace-Id`.
///
/// The SDK would take the header from the process's environment, which names one invocation at a time; a runtime that
/// serves several at once needs it to travel with the task.
pub async fn traced<T>(trace: Option<&str>, work: impl Future<Output = T>) -> T {
    match trace.and_then(|trace| HeaderValue::from_str(trace).ok()) {
        Some(trace) => TRACE.scope(trace, work).await,
        None => work.await,
    }
}

#[derive(Debug)]
struct TraceHeader;

impl Intercept for TraceHeader {
    fn name(&self) -> &'static str {
        "TraceHeader"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), aws_sdk_dynamodb::error::BoxError> {
        if let Ok(trace) = TRACE.try_with(HeaderValue::clone) {
            context.request_mut().headers_mut().insert("x-amzn-trace-id", trace.to_str()?.to_owned());
        }
        Ok(())
    }
}
