//! Writes every derived file anew.

use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tests::derived::write().await?.iter().for_each(|path| println!("{}", path.display()));
    Ok(())
}
