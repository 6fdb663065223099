//! The files, and the parts of files, that are generated from the code. `cargo run -p tests --bin regenerate` writes
//! them; a test fails where one differs.

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use shared::{
    config::DOCUMENTATION,
    http::{self, Described},
    telemetry::METRICS,
};

use crate::capacity;

/// The root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every derived file with what it should hold.
///
/// # Errors
/// Where a file that is derived in part, or what the bench measured, cannot be read.
pub async fn files() -> Result<Vec<(PathBuf, String)>, Box<dyn Error>> {
    let readme = fs::read_to_string(root().join("README.md"))?;
    let readme = replaced(&readme, "endpoints", &endpoints());
    let readme = replaced(&readme, "settings", &settings());
    let operations = fs::read_to_string(root().join("docs/operations.md"))?;
    let operations = replaced(&operations, "metrics", &metrics());
    let figures = figures::files(&root(), &capacity::walk().await)?;
    let documents = [("infra/openapi.json", openapi()), ("README.md", readme), ("docs/operations.md", operations)];
    let documents = documents.map(|(path, text)| (path.into(), text));
    Ok(documents.into_iter().chain(figures.into_iter().map(|(path, text)| (path.into(), text))).collect())
}

/// Writes every derived file anew. Answers with their paths.
///
/// # Errors
/// As [`files`] fails, or where one cannot be written.
pub async fn write() -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut written = Vec::new();
    for (path, content) in files().await? {
        fs::write(root().join(&path), content)?;
        written.push(path);
    }
    Ok(written)
}

/// The OpenAPI document of all functions.
pub fn openapi() -> String {
    let parts = [
        auth::endpoints::<Described<auth::State>>().openapi(),
        users::endpoints::<Described<users::State>>().openapi(),
        avatars::endpoints::<Described<avatars::State>>().openapi(),
        attempts::endpoints::<Described<attempts::State>>().openapi(),
        system::endpoints::<Described<system::State>>().openapi(),
    ];
    let document = serde_json::to_string_pretty(&http::document(parts)).unwrap_or_default();
    document + "\n"
}

/// The operations of the document by their ids, but for those that are the same as another one.
pub fn operations() -> BTreeMap<String, Value> {
    let document: Value = serde_json::from_str(&openapi()).unwrap_or_default();
    let items = document["paths"].as_object().into_iter().flatten().filter_map(|(_, item)| item.as_object());
    let text = |operation: &Value, name: &str| operation[name].as_str().unwrap_or_default().to_owned();
    let own = items.flatten().filter(|(_, operation)| !text(operation, "description").starts_with("The same as"));
    own.map(|(_, operation)| (text(operation, "operationId"), operation.clone())).collect()
}

/// The text with what stands between the marks of `name` replaced.
fn replaced(text: &str, name: &str, content: &str) -> String {
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let parts = text.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    parts.map_or_else(|| text.to_owned(), |(before, after)| format!("{before}{begin}{content}{end}{after}"))
}

/// A row an operation, with every path that it answers on.
fn endpoints() -> String {
    let document: Value = serde_json::from_str(&openapi()).unwrap_or_default();
    let mut rows: Vec<(String, String, String, String, Vec<String>)> = Vec::new();
    let mut aliases = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let text = |name: &str| operation[name].as_str().unwrap_or_default().to_owned();
            match text("description").strip_prefix("The same as `").and_then(|rest| rest.strip_suffix("`.")) {
                Some(same) => aliases.push((same.to_owned(), method.clone(), path.clone())),
                None => rows.push((
                    operation["tags"][0].as_str().unwrap_or_default().to_owned(),
                    path.clone(),
                    method.clone(),
                    text("summary"),
                    Vec::new(),
                )),
            }
        }
    }
    for (same, method, path) in aliases {
        // PATCH is an alias of PUT where an endpoint takes both.
        let shown = if method == "patch" { format!("`PATCH {path}`") } else { format!("`{path}`") };
        let row =
            rows.iter_mut().find(|row| row.1 == same && (row.2 == method || (row.2 == "put" && method == "patch")));
        row.into_iter().for_each(|row| row.4.push(shown.clone()));
    }
    let order = ["auth", "users", "avatars", "attempts", "system"];
    rows.sort_by_key(|row| order.iter().position(|tag| *tag == row.0));
    let head = "| endpoint | also | what |\n| --- | --- | --- |\n".to_owned();
    rows.into_iter().fold(head, |table, (_, path, method, summary, also)| {
        let also = also.join(" ");
        table + &format!("| {} `{path}` | {also} | {} |\n", method.to_uppercase(), summary.replace('\n', " "))
    })
}

fn settings() -> String {
    let head = "| setting | default | what |\n| --- | --- | --- |\n".to_owned();
    DOCUMENTATION.iter().fold(head, |table, setting| {
        table + &format!("| `{}` | {} | {} |\n", setting.name, setting.default, setting.meaning)
    })
}

fn metrics() -> String {
    let head = "| metric | unit | what |\n| --- | --- | --- |\n".to_owned();
    METRICS.iter().fold(head, |table, (name, unit, meaning)| table + &format!("| `{name}` | {unit} | {meaning} |\n"))
}
