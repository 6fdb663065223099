use super::{Account, DisplayName, Edit, Guesses, Plan, Role, Username};

/// What an edit does with an account; absent is unchanged.
#[derive(Clone, Debug, Default)]
pub struct AccountEdit {
    pub name: Edit<DisplayName>,
    pub username: Edit<Username>,
    pub timezone: Edit<String>,
    pub language: Edit<String>,
    pub profile_private: Option<bool>,
    pub contact_public: Option<bool>,
    pub role: Option<Role>,
    pub plan: Option<Plan>,
    pub active: Option<bool>,
    pub verified: Option<bool>,
    /// Ends the lock and forgets the guesses.
    pub unlock: bool,
}

impl AccountEdit {
    /// Whether it leaves the account as it is.
    pub fn is_empty(&self) -> bool {
        let texts = [&self.timezone, &self.language].into_iter().all(Edit::is_unchanged);
        let flags = [self.profile_private, self.contact_public, self.active, self.verified];
        let acts = self.unlock || self.role.is_some() || self.plan.is_some();
        self.name.is_unchanged() && self.username.is_unchanged() && texts && flags.iter().all(Option::is_none) && !acts
    }

    /// The account after it.
    pub fn applied(&self, account: &Account) -> Account {
        let mut next = account.clone();
        next.name = self.name.applied(next.name);
        next.username = self.username.applied(next.username);
        next.timezone = self.timezone.applied(next.timezone);
        next.language = self.language.applied(next.language);
        next.profile_private = self.profile_private.unwrap_or(next.profile_private);
        next.contact_public = self.contact_public.unwrap_or(next.contact_public);
        next.role = self.role.unwrap_or(next.role);
        next.plan = self.plan.unwrap_or(next.plan);
        next.active = self.active.unwrap_or(next.active);
        next.verified = self.verified.unwrap_or(next.verified);
        if self.unlock {
            next.guesses = Guesses { generation: next.guesses.generation + 1, ..Guesses::default() };
        }
        if self.ends_sessions() {
            next.sessions.clear();
        }
        next
    }

    /// Whether the account's sessions end with it: of someone who is disabled none goes on (ASVS 7.4.2).
    pub fn ends_sessions(&self) -> bool {
        self.active == Some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::NewAccount;

    #[test]
    fn each_field_by_itself_is_an_edit() {
        let none = AccountEdit::default;
        assert!(none().is_empty());
        let edits = [
            AccountEdit { name: Edit::Cleared, ..none() },
            AccountEdit { username: Edit::Cleared, ..none() },
            AccountEdit { timezone: Edit::Cleared, ..none() },
            AccountEdit { language: Edit::Cleared, ..none() },
            AccountEdit { profile_private: Some(false), ..none() },
            AccountEdit { contact_public: Some(false), ..none() },
            AccountEdit { role: Some(Role::User), ..none() },
            AccountEdit { plan: Some(Plan::Basic), ..none() },
            AccountEdit { active: Some(true), ..none() },
            AccountEdit { verified: Some(true), ..none() },
            AccountEdit { unlock: true, ..none() },
        ];
        for edit in edits {
            assert!(!edit.is_empty(), "{edit:?}");
        }
    }

    #[test]
    fn unlocking_forgets_the_guesses_and_whatever_is_being_compared() {
        let mut account = Account::from(NewAccount::sample());
        account.guesses = Guesses { generation: 4, tries: 3, wrong: 2, ..Guesses::default() };
        let unlocked = AccountEdit { unlock: true, ..AccountEdit::default() }.applied(&account);
        assert_eq!(unlocked.guesses, Guesses { generation: 5, ..Guesses::default() });
        assert_eq!(AccountEdit::default().applied(&account).guesses, account.guesses);
    }
}
