//! Which module may name which. An arrow that is not listed is forbidden.

use std::{collections::BTreeSet, fs};

use tests::derived::root;

use crate::layout::rust_files;

/// Modules of the common crate, and the modules of it that each may name.
const ALLOWED: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("domain", &[]),
    ("markup", &[]),
    ("config", &["domain"]),
    ("aws", &["config", "telemetry"]),
    ("telemetry", &["clock", "config"]),
    ("platform", &["aws", "clock", "config", "telemetry"]),
    ("invocation", &["aws", "telemetry"]),
    ("objects", &["Platform", "aws", "config"]),
    ("operator", &["config"]),
    ("crypto", &["Platform", "aws", "config", "domain", "telemetry"]),
    ("mail", &["config", "domain", "markup"]),
    ("store", &["Platform", "aws", "config", "domain", "telemetry"]),
    ("http", &["Platform", "aws", "clock", "config", "crypto", "domain", "markup", "objects", "store", "telemetry"]),
];

/// What must not be named, and the one module that may.
const BOUNDARIES: &[(&str, &[&str])] = &[
    ("aws_sdk_dynamodb", &["aws", "store"]),
    ("aws_sdk_s3", &["aws", "objects"]),
    ("aws_sdk_secretsmanager", &["aws", "crypto"]),
    ("axum", &["http"]),
    ("lambda_http", &["http", "invocation"]),
    ("argon2", &["crypto"]),
    ("jsonwebtoken", &["crypto"]),
    ("minijinja", &["http", "mail", "markup"]),
];

/// The module of a file of the common crate.
fn module(file: &std::path::Path) -> String {
    let inside = file.strip_prefix(root().join("shared/src")).unwrap();
    inside.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The names that follow `crate::`, also within braces.
fn named(text: &str) -> BTreeSet<String> {
    let word =
        |text: &str| text.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect();
    let mut names = BTreeSet::new();
    for rest in text.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            names.insert(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut start = true;
        for (place, character) in list.char_indices() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                character if start && !character.is_whitespace() => {
                    names.insert(word(&list[place..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    names
}

#[test]
fn no_arrow_points_the_wrong_way() {
    for file in rust_files("shared/src") {
        let module = module(&file);
        if module == "lib" {
            continue;
        }
        let (_, allowed) =
            ALLOWED.iter().find(|(name, _)| *name == module).unwrap_or_else(|| panic!("{module} has no arrows"));
        for name in named(&fs::read_to_string(&file).unwrap()) {
            assert!(name == module || allowed.contains(&name.as_str()), "{} names {name}", file.display());
        }
    }
}

#[test]
fn what_a_boundary_keeps_out_stays_out() {
    for file in rust_files("shared/src") {
        let (module, text) = (module(&file), fs::read_to_string(&file).unwrap());
        for (outsider, allowed) in BOUNDARIES {
            let found = text.contains(&format!("{outsider}::"));
            assert!(!found || allowed.contains(&module.as_str()), "{} names {outsider}", file.display());
        }
    }
}

#[test]
fn a_function_names_no_other_function_and_no_table() {
    let functions =
        ["attempts", "auth", "authorizer", "avatars", "bounces", "janitor", "mailer", "rotation", "system", "users"];
    for function in functions {
        let manifest = fs::read_to_string(root().join(format!("functions/{function}/Cargo.toml"))).unwrap();
        for other in functions.into_iter().filter(|other| *other != function) {
            assert!(!manifest.contains(&format!("\n{other}.workspace")), "{function} depends on {other}");
        }
        assert!(!manifest.contains("aws-sdk-dynamodb") && !manifest.contains("\nlocal."), "{function}");
    }
}

#[test]
fn the_reader_finds_names_within_braces() {
    let text = "use crate::{\n    a::{x, y},\n    b,\n};\nfn f() { crate::c::d() }";
    assert_eq!(named(text), ["a", "b", "c"].map(str::to_owned).into());
}
