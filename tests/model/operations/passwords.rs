//! Changing a password, and choosing another one in place of it.

use serde_json::json;

use super::{Act, Said};
use crate::{person::Doubt, service::Wrong};

impl Act<'_> {
    pub(super) async fn change_password(&mut self) -> Result<(), Wrong> {
        let Some(session) = self.fresh()? else { return Ok(()) };
        let account = self.account()?;
        let (locked, verified, old) = (account.is_locked(self.now), account.verified, account.password().to_owned());
        let email = account.email.clone();
        let new = self.person.made_up("password-number");
        let body = json!({ "current_password": old, "new_password": new });
        match (self.post("/api/v1/auth/change-password", body, Some(&session.tokens.access)).await?, locked) {
            (Said::Yes(_), Some(false)) if verified => {
                self.person.end_sessions(|other| other.tokens == session.tokens);
                self.person.owes(&email, "password was changed");
                let account = self.account_mut()?;
                (account.passwords, account.wrong, account.locked) = (vec![new], 0, None);
                Ok(())
            }
            (Said::No(403, code), _) if code == "email_not_verified" && !verified => Ok(()),
            (Said::No(403, code), Some(true)) if code == "account_locked" => Ok(()),
            (Said::Nothing, _) => {
                self.account_mut()?.passwords = vec![old, new];
                self.doubt(Doubt::Credentials)
            }
            (said, _) => Err(format!("a change of the password was answered {said:?}")),
        }
    }

    /// A code is used once, and ends every session.
    pub(super) async fn reset_password(&mut self) -> Result<(), Wrong> {
        let (mark, subject) = ("your code is ", "Reset your");
        let known = self.mailed(mark, subject).await?;
        let email = self.account()?.email.clone();
        let Said::Yes(_) = self.post("/api/v1/auth/password-reset-request", json!({ "email": email }), None).await?
        else {
            return Ok(());
        };
        let codes = self.mailed(mark, subject).await?;
        // A mail that is on its way still is owed, and not used.
        let Some(code) = codes.first().filter(|_| codes.len() > known.len()).cloned() else { return Ok(()) };
        let (old, new) = (self.account()?.password().to_owned(), self.person.made_up("password-number"));
        let body = json!({ "email": email, "code": code, "new_password": new });
        match self.post("/api/v1/auth/password-reset-confirm", body.clone(), None).await? {
            Said::Yes(_) => {
                self.person.end_sessions(|_| false);
                self.person.owes(&email, "password was changed");
                let account = self.account_mut()?;
                (account.passwords, account.wrong, account.locked) = (vec![new], 0, None);
                account.verified = true;
            }
            Said::Nothing => {
                self.account_mut()?.passwords = vec![old, new];
                return self.doubt(Doubt::Credentials);
            }
            // A mail of an earlier request that came late looks like a new one.
            Said::No(401, _) if known.len() + 1 < codes.len() || known.contains(&code) => {
                return Ok(());
            }
            said @ Said::No(..) => return Err(format!("the code from the mail was answered {said:?}")),
        }
        match self.post("/api/v1/auth/password-reset-confirm", body, None).await? {
            Said::Nothing | Said::No(401, _) => Ok(()),
            said => Err(format!("a code that was used was answered {said:?}")),
        }
    }
}
