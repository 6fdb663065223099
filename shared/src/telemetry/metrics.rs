use std::{cell::RefCell, collections::BTreeMap, fmt::Debug, future::Future};

use chrono::{DateTime, Utc};
use serde::Serialize;

macro_rules! metrics {
    ($($name:ident $unit:ident $meaning:literal;)*) => {
        /// What is measured, each under its own name in the stack's namespace of CloudWatch, without dimensions: a metric
        /// with dimensions costs as much as many.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub enum Metric { $($name),* }

        impl Metric {
            /// CloudWatch's name of its unit.
            fn unit(self) -> &'static str {
                match self { $(Self::$name => stringify!($unit)),* }
            }
        }

        /// Name, unit and meaning of every metric, in the order of `docs/operations.md`.
        pub const METRICS: &[(&str, &str, &str)] = &[$((stringify!($name), stringify!($unit), $meaning)),*];
    };
}

metrics! {
    SignUps Count "accounts made by registering";
    LoginsSucceeded Count "sign-ins with a password that opened a session";
    LoginsRefused Count "wrong passwords, and unknown addresses";
    LoginsLocked Count "sign-ins refused because of a lock";
    LoginsUnverified Count "right passwords of accounts that are not verified";
    LoginsDisabled Count "right passwords of accounts that are disabled";
    Locks Count "locks: third wrong passwords in a row, at any door";
    ResetsRequested Count "password resets asked for, of known and unknown addresses";
    ResetsCompleted Count "passwords set by a mailed code or link";
    RefreshReuses Count "refresh tokens used again; each ended its session";
    RateLimitRefusals Count "calls that a limit refused";
    Attempts Count "attempts recorded";
    MailsSent Count "mails that SES took";
    MailsFailed Count "goes at a mail that failed and are tried again";
    MailsGivenUp Count "mails that SES, or their own content, refuses for good";
    MailsSuppressed Count "mails not sent, because their address bounced or complained";
    Bounces Count "addresses that SES reported as dead";
    Complaints Count "addresses whose owner reported a mail as spam";
    ReadUnits Count "DynamoDB read units, as DynamoDB reports them";
    WriteUnits Count "DynamoDB write units, as DynamoDB reports them";
    Conflicts Count "writes that met another one of the same items and were tried again";
    HashingWait Milliseconds "how long a password waited for a processor to hash on";
    AuthorizerRefusals Count "callers of REST and WebSocket APIs that the authorizer refused, which Lambda takes for errors";
    SigningKeyAge Seconds "age of the keys that sign access tokens";
    DerivationKeyAge Seconds "age of the keys of codes, links and refresh tokens";
    Accounts Count "accounts that exist, told once a minute";
    LiveSessions Count "sessions that have not been ended: an estimate, told once a minute";
}

/// What one piece of work measured.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Measures(BTreeMap<Metric, f64>);

tokio::task_local! {
    static MEASURES: RefCell<Measures>;
}

/// Counts one.
pub fn count(metric: Metric) {
    add(metric, 1.0);
}

/// Adds to what the piece of work that this task does has measured. Outside of one nobody listens.
pub fn add(metric: Metric, amount: f64) {
    let _ = MEASURES.try_with(|measures| *measures.borrow_mut().0.entry(metric).or_default() += amount);
}

/// Says how much it is now.
pub fn gauge(metric: Metric, value: f64) {
    let _ = MEASURES.try_with(|measures| measures.borrow_mut().0.insert(metric, value));
}

/// Does a piece of work, and tells what it measured.
pub async fn measured<T>(work: impl Future<Output = T>) -> (T, Measures) {
    let measured = async {
        let result = work.await;
        (result, MEASURES.with(RefCell::take))
    };
    MEASURES.scope(RefCell::default(), measured).await
}

/// Has CloudWatch take what stands in the same line as metrics, by its embedded metric format. The crates that write it would
/// bring fifty others along.
///
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Directives<'a> {
    timestamp: i64,
    cloud_watch_metrics: [Directive<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'a str,
    /// One set of none.
    dimensions: [[&'a str; 0]; 1],
    metrics: Vec<Named>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: Metric,
    unit: &'static str,
}

impl Measures {
    /// Nothing where nothing was measured.
    pub(super) fn directives<'a>(&self, namespace: &'a str, at: DateTime<Utc>) -> Option<Directives<'a>> {
        let metrics: Vec<_> = self.0.keys().map(|metric| Named { name: *metric, unit: metric.unit() }).collect();
        let directive = (!metrics.is_empty()).then_some(Directive { namespace, dimensions: [[]], metrics })?;
        Some(Directives { timestamp: at.timestamp_millis(), cloud_watch_metrics: [directive] })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn what_a_piece_of_work_measured_is_its_own() {
        count(Metric::Locks);
        let work = async {
            count(Metric::SignUps);
            add(Metric::WriteUnits, 2.5);
            add(Metric::WriteUnits, 1.0);
            gauge(Metric::Accounts, 7.0);
            gauge(Metric::Accounts, 8.0);
        };
        let ((), measures) = measured(work).await;
        assert_eq!(
            serde_json::to_value(&measures).unwrap(),
            json!({ "SignUps": 1.0, "WriteUnits": 3.5, "Accounts": 8.0 })
        );
        let directives = measures.directives("Users/dev", DateTime::UNIX_EPOCH);
        let directives = serde_json::to_value(directives).unwrap();
        let directive = &directives["CloudWatchMetrics"][0];
        assert_eq!((&directive["Namespace"], &directive["Dimensions"]), (&json!("Users/dev"), &json!([[]])));
        let told = json!([{ "Name": "SignUps", "Unit": "Count" }, { "Name": "WriteUnits", "Unit": "Count" }, { "Name": "Accounts", "Unit": "Count" }]);
        assert_eq!(directive["Metrics"], told);
        assert!(Measures::default().directives("Users/dev", DateTime::UNIX_EPOCH).is_none());
    }
}
