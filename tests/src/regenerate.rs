//! Writes every derived file anew.

use std::{error::Error, fs};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    for (path, content) in tests::derived::files().await? {
        fs::write(tests::derived::root().join(&path), content)?;
        println!("{}", path.display());
    }
    Ok(())
}
