use std::{collections::BTreeSet, fs};

use tests::derived::{files, root};

#[tokio::test(flavor = "multi_thread")]
async fn every_derived_file_is_what_the_code_says() {
    for (path, content) in files().await.unwrap() {
        let stored = fs::read_to_string(root().join(&path)).unwrap_or_default();
        let [stands, derived]: [BTreeSet<&str>; 2] = [stored.lines().collect(), content.lines().collect()];
        let other: Vec<&&str> = stands.symmetric_difference(&derived).collect();
        let path = path.display();
        assert!(stored == content, "{path} differs: run `cargo run -p tests --bin regenerate`: {other:#?}");
    }
}
