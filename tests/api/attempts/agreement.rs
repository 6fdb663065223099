//! Summary, history, questions, days and single attempts are one and the same story.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::client::{App, Member, moment};

/// What questions and days ought to be, going by the history alone.
fn folded(history: &[Value]) -> (Vec<Value>, Vec<Value>) {
    let mut questions: BTreeMap<u64, Value> = BTreeMap::new();
    let mut days: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for row in history.iter().rev() {
        let day = days.entry(row["created_at"].as_str().unwrap()[..10].to_owned()).or_default();
        day.0 += 1;
        let question = questions.entry(row["question_id"].as_u64().unwrap()).or_insert_with(|| {
            json!({
                "question_id": row["question_id"], "attempts": 0, "best_passed_tests": -1, "total_tests": 0,
                "best_runtime_ms": null, "solved_at": null, "last_attempt_at": null,
            })
        });
        question["attempts"] = (question["attempts"].as_u64().unwrap() + 1).into();
        question["last_attempt_at"] = row["created_at"].clone();
        let (passed, best) = (row["passed_tests"].as_i64(), question["best_passed_tests"].as_i64());
        if passed > best || (passed == best && row["is_solved"] == true) {
            question["best_passed_tests"] = row["passed_tests"].clone();
            question["total_tests"] = row["total_tests"].clone();
        }
        if row["is_solved"] == true {
            if question["solved_at"].is_null() {
                question["solved_at"] = row["created_at"].clone();
                day.1 += 1;
            }
            let best = question["best_runtime_ms"].as_u64().into_iter().chain(row["runtime_ms"].as_u64()).min();
            question["best_runtime_ms"] = json!(best);
        }
    }
    let days = days.into_iter();
    let days = days.map(|(date, (attempts, solved))| json!({ "date": date, "attempts": attempts, "solved": solved }));
    (questions.into_values().collect(), days.collect())
}

/// Fails where anything that a person is shown of their attempts, of which there are `total`, contradicts the rest.
pub async fn holds(app: &App, member: &Member, total: usize) {
    let get = async |path: &str| app.get_as(member, &format!("/api/v1/attempts/{path}")).await.json();
    let history = get("me?limit=200").await;
    let history = history.as_array().unwrap();
    assert_eq!(history.len(), total);
    assert!(history.windows(2).all(|rows| moment(&rows[0]["created_at"]) >= moment(&rows[1]["created_at"])));
    let (questions, days) = folded(history);
    let solved = questions.iter().filter(|question| !question["solved_at"].is_null()).count();
    let last = history.first().map_or(Value::Null, |row| row["created_at"].clone());
    assert_eq!(get("me/summary").await, json!({ "total_attempts": total, "solved": solved, "last_attempt_at": last }));
    assert_eq!(get("me/questions?limit=200").await, Value::from(questions.clone()));
    assert_eq!(get("me/activity").await, Value::from(days));
    for question in &questions {
        let id = &question["question_id"];
        let rows: Vec<_> = history.iter().filter(|row| row["question_id"] == *id).cloned().collect();
        assert_eq!(get(&format!("me?limit=200&question_id={id}")).await, Value::from(rows));
    }
    for row in history {
        let mut whole = get(row["id"].as_str().unwrap()).await;
        assert!(whole.as_object_mut().unwrap().remove("submitted_code").is_some());
        assert_eq!(whole, *row);
    }
}
