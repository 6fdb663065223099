use std::{collections::BTreeSet, fs, path::PathBuf};

use tests::derived::{operations, root};

/// Every Rust file below a folder.
pub fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                found.push(entry);
            }
        }
    }
    found
}

#[test]
fn a_functions_main_has_fewer_than_twenty_five_lines() {
    for function in fs::read_dir(root().join("functions")).unwrap() {
        let main = function.unwrap().path().join("src/main.rs");
        assert!(fs::read_to_string(&main).unwrap().lines().count() < 25, "{}", main.display());
    }
}

#[test]
fn an_endpoint_has_the_same_word_in_every_place() {
    let asked = fs::read_to_string(root().join("infra/bench/src/operations.rs")).unwrap();
    let operations = operations();
    for (id, operation) in &operations {
        let group = operation["tags"][0].as_str().unwrap();
        let places = [
            format!("functions/{group}/src/routes/{id}.rs"),
            format!("events/{group}/{id}.json"),
            format!("tests/api/{group}/{id}.rs"),
        ];
        for place in places {
            assert!(root().join(&place).exists(), "{place} is missing");
        }
        let is_asked = [" =>", " |", ") =>"].iter().any(|arm| asked.contains(&format!("\"{id}\"{arm}")));
        assert!(is_asked, "the bench does not ask for {id}");
    }
    assert!(operations.len() >= 18, "{}", operations.len());
}

#[test]
fn the_paths_that_architecture_names_exist() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let quoted = text.split('`').skip(1).step_by(2);
    let paths: Vec<&str> = quoted
        .filter(|word| {
            let (first, _) = word.split_once('/').unwrap_or(("", ""));
            ["functions", "shared", "infra", "events", "tests", "docs"].contains(&first)
                && !word.contains(['<', '*', ' '])
        })
        .collect();
    assert!(paths.len() > 10, "{paths:?}");
    for path in paths {
        assert!(root().join(path).exists(), "ARCHITECTURE.md names {path}, which does not exist");
    }
}

#[test]
fn the_tests_that_the_documents_name_exist() {
    let table = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let code: String = ["shared", "functions", "infra", "tests"]
        .into_iter()
        .flat_map(rust_files)
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let tests = tests_of(&code);
    let rows = table.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    let mut count = 0;
    for name in rows.flat_map(|row| row.rsplit(" | ").next().unwrap().split('`').skip(1).step_by(2)) {
        assert!(tests.contains(name), "docs/security.md names {name}, which is no test");
        count += 1;
    }
    assert!(count > 50, "{count}");
    // Elsewhere a name that is a sentence is that of a test.
    let told = fs::read_to_string(root().join("docs/reliability.md")).unwrap();
    let sentence = |name: &&str| name.matches('_').count() > 3 && !name.contains(['/', ' ', '.']);
    let names: Vec<_> = told.split('`').skip(1).step_by(2).filter(sentence).collect();
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        assert!(tests.contains(name), "docs/reliability.md names {name}, which is no test");
    }
}

/// The functions that stand behind a test's attribute, and run.
fn tests_of(code: &str) -> BTreeSet<&str> {
    let behind = ["#[test]", "#[tokio::test"].into_iter().flat_map(|mark| code.split(mark).skip(1));
    behind.filter_map(|rest| rest.split_once("fn ")?.1.split('(').next()).collect()
}

#[test]
fn no_test_is_left_out() {
    let left_out = ["#[ign", "ore"].concat();
    for file in ["shared", "functions", "infra", "tests"].into_iter().flat_map(rust_files) {
        assert!(!fs::read_to_string(&file).unwrap().contains(&left_out), "{}", file.display());
    }
}

#[test]
fn lints_are_excused_with_a_reason_and_nothing_is_left_unfinished() {
    let unfinished = ["#[allow(", "#![allow(", "todo!", "unimplemented!"];
    for file in ["shared", "functions", "infra"].into_iter().flat_map(rust_files) {
        let text = fs::read_to_string(&file).unwrap();
        for word in unfinished {
            assert!(!text.contains(word), "{}: {word}", file.display());
        }
        let code = text.split("#[cfg(test)]").next().unwrap();
        let in_test_file = file.components().any(|part| part.as_os_str() == "tests");
        for word in [".unwrap()", ".expect("] {
            assert!(in_test_file || !code.contains(word), "{}: {word}", file.display());
        }
    }
}
