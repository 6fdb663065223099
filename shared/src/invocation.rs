//! One invocation of a function that serves no requests: its trace, and its one line in the log, metrics included.

use std::{future::Future, time::Instant};

use lambda_http::Context;

use crate::{
    aws,
    telemetry::{self, Done, Meter, Work},
};

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
    let (done, measures) = telemetry::measured(work).await;
    let told = Work {
        request_id: &context.request_id,
        route: None,
        duration: started.elapsed(),
        done: Done::Invocation { outcome: if done.is_ok() { "done" } else { "failed" } },
    };
    meter.tell(&told, &measures);
    done
}
