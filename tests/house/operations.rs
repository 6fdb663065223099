//! Alarms, dashboard, metrics and the runbook say the same.

use std::{collections::BTreeSet, fs};

use shared::telemetry::{METRICS, OURS};
use tests::derived::root;

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The words that follow `mark`, up to what ends a word.
fn after(text: &str, mark: &str) -> BTreeSet<String> {
    let word = |rest: &str| rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '-').collect();
    text.split(mark).skip(1).map(word).collect()
}

#[test]
fn every_alarm_has_an_entry_that_says_what_it_means_where_to_look_and_what_helps() {
    let (stack, runbook) = (read("infra/observability.yaml"), read("docs/operations.md"));
    let alarms = stack.matches("Type: AWS::CloudWatch::Alarm").count();
    let linked = after(&stack, "${RunbookUrl}#");
    assert!(alarms > 30 && stack.matches("${RunbookUrl}#").count() == alarms, "each links to one entry");
    let entries: Vec<&str> = runbook.split("\n### ").skip(1).collect();
    let named: BTreeSet<String> = entries.iter().map(|entry| entry.lines().next().unwrap().to_owned()).collect();
    assert_eq!(linked, named);
    for entry in entries {
        for part in ["\n- Means: ", "\n- Look: ", "\n- Do: "] {
            assert_eq!(entry.matches(part).count(), 1, "{part} {entry}");
        }
    }
}

#[test]
fn whatever_was_made_to_fail_has_an_alarm() {
    let (stack, reliability) = (read("infra/observability.yaml"), read("docs/reliability.md"));
    let (_, table) = reliability.split_once("| shown by | alarm |\n").unwrap();
    let rows: Vec<&str> = table.lines().skip(1).take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 5);
    for row in rows {
        let alarms: Vec<&str> = row.rsplit('|').nth(1).unwrap().split('`').skip(1).step_by(2).collect();
        assert!(!alarms.is_empty(), "{row}");
        for alarm in alarms {
            assert!(stack.contains(&format!("\n  {alarm}:\n    Type: AWS::CloudWatch::Alarm\n")), "{alarm}");
        }
    }
}

#[test]
fn what_is_watched_and_shown_is_measured() {
    let stack = read("infra/observability.yaml");
    let known: BTreeSet<&str> = METRICS.iter().map(|(name, ..)| *name).collect();
    let one_line =
        stack.replace("Namespace: !Ref Namespace\n      MetricName: ", "Namespace: !Ref Namespace, MetricName: ");
    let watched = after(&one_line, "Namespace: !Ref Namespace, MetricName: ");
    let shown = after(&stack, "[\"${Namespace}\", \"");
    assert!(watched.len() > 10 && shown.len() > 15, "{watched:?} {shown:?}");
    for name in watched.union(&shown) {
        assert!(known.contains(name.as_str()), "{name} is not measured");
    }
}

#[test]
fn every_function_has_its_log_its_alarm_and_its_voice() {
    let (template, stack) = (read("template.yaml"), read("infra/observability.yaml"));
    for folder in fs::read_dir(root().join("functions")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        let logical = name[..1].to_uppercase() + &name[1..];
        assert!(template.contains(&format!("LogGroup: !Ref {logical}Logs }}")), "{name}");
        assert!(stack.contains(&format!("  {logical}Errors:\n")), "{name} has no alarm");
        assert!(OURS.contains(&name.as_str()), "the log leaves out what {name} says");
    }
}
