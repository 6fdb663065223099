//! What a person reads and changes of their account.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Act, Said, its_own_doing};
use crate::{person::Doubt, service::Wrong};

impl Act<'_> {
    pub(super) async fn me(&mut self) -> Result<(), Wrong> {
        let Some(session) = self.fresh()? else { return Ok(()) };
        let account = self.account()?.clone();
        match self.ask(Method::GET, "/api/v1/auth/me", Value::Null, Some(&session.tokens.access)).await? {
            Said::Nothing => Ok(()),
            Said::Yes(me) => {
                let name = me["name"].as_str().map(str::to_owned);
                let whole = me["email"] == account.email.as_str() && me["is_verified"] == account.verified;
                if whole && account.names.contains(&name) && account.id.as_deref().is_none_or(|id| me["id"] == id) {
                    return Ok(());
                }
                Err(format!("the account reads {me}"))
            }
            said @ Said::No(..) => Err(format!("a live session was answered {said:?}")),
        }
    }

    pub(super) async fn rename(&mut self) -> Result<(), Wrong> {
        let Some(session) = self.fresh()? else { return Ok(()) };
        let verified = self.account()?.verified;
        let name = self.person.made_up("name");
        let said =
            self.ask(Method::PATCH, "/api/v1/users/me", json!({ "name": name }), Some(&session.tokens.access)).await?;
        match said {
            Said::Yes(_) if verified => {
                self.forget_names(vec![Some(name)])?;
                self.me().await
            }
            Said::No(403, code) if code == "email_not_verified" && !verified => Ok(()),
            Said::Nothing => {
                self.account_mut()?.names.push(Some(name));
                Ok(())
            }
            said => Err(format!("a new name was answered {said:?}")),
        }
    }

    /// The names that hold no more are still to be gone with the account.
    pub(super) fn forget_names(&mut self, names: Vec<Option<String>>) -> Result<(), Wrong> {
        let account = self.account_mut()?;
        let old = std::mem::replace(&mut account.names, names);
        let over: Vec<String> = old.into_iter().filter(|name| !account.names.contains(name)).flatten().collect();
        self.person.marks.extend(over);
        Ok(())
    }

    pub(super) async fn delete(&mut self) -> Result<(), Wrong> {
        let Some(session) = self.fresh()? else { return Ok(()) };
        let (email, verified) = (self.account()?.email.clone(), self.account()?.verified);
        match self.ask(Method::DELETE, "/api/v1/users/me", Value::Null, Some(&session.tokens.access)).await? {
            Said::Yes(_) => {
                self.person.bury();
                if verified {
                    self.person.owes(&email, "was deleted");
                }
                Ok(())
            }
            said if matches!(said, Said::Nothing) || its_own_doing(&said) => self.doubt(Doubt::Deleted),
            said => Err(format!("a live session was answered {said:?}")),
        }
    }
}
