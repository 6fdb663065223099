//! One invocation of a function that serves no requests: its trace, its metrics and its one log line.

use std::{future::Future, time::Instant};

use lambda_http::Context;

use crate::{aws, telemetry, telemetry::Meter};

/// Does what an invocation asks for.
///
/// # Errors
/// Those of `work`, as they are.
pub async fn observed<T, E>(
    meter: &Meter,
    context: &Context,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let started = Instant::now();
    // Boxed, since the compiler bounds how deep futures may nest.
    let work = Box::pin(aws::traced(context.xray_trace_id.as_deref(), work));
    let done = meter.measure(&[("request_id", context.request_id.as_str())], work).await;
    let outcome = if done.is_ok() { "done" } else { "failed" };
    telemetry::invocation(&context.request_id, meter.function(), outcome, started.elapsed());
    done
}
