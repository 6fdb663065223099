//! The functions' binaries and zips, as they are packaged for a deployment on this kind of machine.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use local::{Function, TEMPLATE, Template};
use tests::derived::root;

use crate::{Failure, Result};

/// What does nothing, and is measured beside them.
pub const EMPTY: &str = "empty";
/// What makes the read of `me` and does nothing else.
pub const READER: &str = "reader";

/// Where the binaries and the zips are.
pub struct Functions {
    folder: PathBuf,
    described: BTreeMap<String, Function>,
}

impl Functions {
    /// The binary of a function.
    pub fn binary(&self, name: &str) -> PathBuf {
        self.folder.join("release").join(name)
    }

    /// Bytes of its zip.
    pub fn zip_bytes(&self, name: &str) -> Result<u64> {
        Ok(fs::metadata(self.folder.join(format!("package/{name}.zip")))?.len())
    }

    /// What the template says of it. What is measured beside the functions is given what `auth` is.
    pub fn described(&self, name: &str) -> Result<&Function> {
        let name = if [EMPTY, READER].contains(&name) { "auth" } else { name };
        self.described.get(name).ok_or_else(|| Failure(format!("the template has no function {name}")))
    }
}

/// Where cargo builds: the bench itself lies in `<target>/<profile>`.
pub fn target() -> Result<PathBuf> {
    let own = env::current_exe()?;
    let target = own.ancestors().nth(2).map(Path::to_owned);
    target.ok_or_else(|| Failure(format!("{} is in no target folder", own.display())))
}

/// Builds them with `infra/package`, in a folder of their own, since its flags are not the bench's.
pub fn functions(built: bool) -> Result<Functions> {
    let template = Template::parse(TEMPLATE)?;
    let described: BTreeMap<_, _> =
        template.functions().into_iter().map(|function| (function.binary.clone(), function)).collect();
    let folder = target()?.join("functions");
    let mut command = Command::new(root().join("infra/package"));
    command.args(described.keys()).args([EMPTY, READER]).env("CARGO_TARGET_DIR", &folder).env_remove("ARCHITECTURE");
    if !built && !command.status()?.success() {
        return Err(Failure("infra/package failed".into()));
    }
    Ok(Functions { folder, described })
}
