//! What was measured of the service, and what it costs: the tables, the plots, and a calculator.

pub mod capacity;
pub mod cost;
mod hot_keys;
pub mod measured;
mod performance;
mod plot;
pub mod prices;
mod section;

use std::{error::Error, fmt::Write, fs, path::Path};

use capacity::Row;
use cost::{Basis, Usage};
use measured::Measured;
use prices::Prices;

/// Where the bench writes what it measured.
pub const MEASURED: &str = "docs/performance/measured.json";
/// Where the suite's walk is written down.
pub const CAPACITY: &str = "docs/performance/capacity.json";

/// The pages, plots and tables under the root of the project that follow from the suite's walk, and from what was measured where
/// something was.
///
/// # Errors
/// Where a run of the bench lacks a figure.
pub fn files(root: &Path, capacity: &[Row]) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let mut files = vec![("capacity.md".to_owned(), capacity::page(capacity))];
    if root.join(MEASURED).exists() {
        let measured: Measured = serde_json::from_str(&fs::read_to_string(root.join(MEASURED))?)?;
        files.extend(performance::files(&measured)?);
        files.push(("cost.md".to_owned(), cost::page(&basis(root, &measured, capacity)?)?));
    }
    let files = files.into_iter().map(|(path, text)| (format!("docs/{path}"), text));
    let walk = serde_json::to_string_pretty(capacity)? + "\n";
    Ok(files.chain([(CAPACITY.to_owned(), walk)]).collect())
}

/// A month of that usage, line by line.
///
/// # Errors
/// Where something was not measured.
pub fn bill(root: &Path, usage: &Usage) -> Result<String, Box<dyn Error>> {
    let measured: Measured = serde_json::from_str(&fs::read_to_string(root.join(MEASURED))?)?;
    let capacity: Vec<Row> = serde_json::from_str(&fs::read_to_string(root.join(CAPACITY))?)?;
    let basis = basis(root, &measured, &capacity)?;
    let bill = basis.month(usage)?;
    let mut text = String::new();
    for (name, usd) in [
        ("API Gateway", bill.gateway),
        ("Lambda", bill.lambda),
        ("DynamoDB", bill.dynamodb),
        ("mail", bill.mail),
        ("logs", bill.logs),
        ("traces", bill.traces),
        ("storage", bill.storage),
        ("before any request", bill.idle),
        ("user-service", bill.total()),
    ] {
        writeln!(text, "{name:<20} {usd:>12.2} USD a month")?;
    }
    for plan in &basis.prices.cognito {
        writeln!(text, "{:<20} {:>12.2} USD a month", format!("Cognito {}", plan.name), plan.month(usage.users))?;
    }
    writeln!(text, "List prices as of {}; docs/cost.md says what is assumed.", basis.prices.date)?;
    Ok(text)
}

const ALARMS: &str = "infra/observability.yaml";

/// What is worked out from: secrets and alarms are counted in the templates.
fn basis<'a>(root: &Path, measured: &'a Measured, capacity: &'a [Row]) -> Result<Basis<'a>, Box<dyn Error>> {
    let count = |file: &str, line: &str| {
        let text = fs::read_to_string(root.join(file))?;
        Ok::<_, Box<dyn Error>>(text.lines().filter(|found| found.trim() == line).count())
    };
    let operations = fs::read_to_string(root.join("docs/operations.md"))?;
    let metrics = operations.split("<!-- begin metrics -->").nth(1).and_then(|rest| rest.split("<!-- end").next());
    let alarms = count(ALARMS, "Type: AWS::CloudWatch::Alarm")?;
    let template = fs::read_to_string(root.join("template.yaml"))?;
    let lines: Vec<_> = template.lines().map(str::trim).collect();
    // Without the one of the edge, which few have.
    let is_secret =
        |pair: &&[&str]| pair[0] == "Type: AWS::SecretsManager::Secret" && !pair[1].starts_with("Condition:");
    let computed = fs::read_to_string(root.join(ALARMS))?.matches("MetricStat:").count();
    Ok(Basis {
        measured,
        capacity,
        prices: Prices::read()?,
        secrets: lines.windows(2).filter(is_secret).count(),
        metrics: metrics.unwrap_or_default().lines().filter(|line| line.starts_with("| `")).count(),
        alarms,
        // One that computes is charged for each metric that it reads.
        alarm_metrics: alarms - count(ALARMS, "Metrics:")? + computed,
    })
}
