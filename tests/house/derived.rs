use std::fs;

use tests::derived::{files, root};

#[tokio::test(flavor = "multi_thread")]
async fn every_derived_file_is_what_the_code_says() {
    for (path, content) in files().await.unwrap() {
        let stored = fs::read_to_string(root().join(&path)).unwrap_or_default();
        assert!(stored == content, "{} differs: run `cargo run -p tests --bin regenerate`", path.display());
    }
}
