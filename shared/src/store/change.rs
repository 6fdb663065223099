//! Conditional updates, the one way in which anything that protects something is written.

use aws_sdk_dynamodb::{
    Client,
    error::ProvideErrorMetadata,
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure, Update},
};

use super::{Item, StoreError, keys::Key, patience::Patience, transactions::build};

/// An update of one item and the condition that it is made on.
#[derive(Clone, Debug)]
pub(super) struct Change {
    set: Vec<String>,
    add: Vec<String>,
    remove: Vec<String>,
    condition: String,
    names: Vec<(String, String)>,
    values: Vec<(String, AttributeValue)>,
    told: Told,
}

/// Which items an update asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// The one that it wrote, or the one that its condition failed on.
    Either,
    Met,
    Neither,
}

/// How a conditional update ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It was written; the item as it is now.
    Done(Item),
    /// Its condition failed; the item that it met.
    Met(Option<Item>),
}

impl Change {
    /// Makes no change yet, and none unless `condition` holds.
    pub fn provided(condition: impl Into<String>) -> Self {
        Self {
            set: Vec::new(),
            add: Vec::new(),
            remove: Vec::new(),
            condition: condition.into(),
            names: Vec::new(),
            values: Vec::new(),
            told: Told::Either,
        }
    }

    /// Makes no change yet; for an item that decides nothing.
    pub fn unconditional() -> Self {
        Self::provided("")
    }

    /// Adds a condition.
    #[must_use]
    pub fn and_provided(mut self, condition: &str) -> Self {
        self.condition = format!("({}) AND ({condition})", self.condition);
        self
    }

    /// Sets attributes, as in `a = :a, b = :b`.
    #[must_use]
    pub fn set(mut self, assignments: impl Into<String>) -> Self {
        self.set.push(assignments.into());
        self
    }

    /// Adds to a number or a set, as in `a :a`.
    #[must_use]
    pub fn add(mut self, addition: impl Into<String>) -> Self {
        self.add.push(addition.into());
        self
    }

    /// Takes attributes away, as in `a, b.c`.
    #[must_use]
    pub fn remove(mut self, paths: impl Into<String>) -> Self {
        self.remove.push(paths.into());
        self
    }

    /// Gives a name of the expressions, `#x`, its attribute.
    #[must_use]
    pub fn name(mut self, placeholder: impl Into<String>, attribute: impl Into<String>) -> Self {
        self.names.push((placeholder.into(), attribute.into()));
        self
    }

    /// Gives a value of the expressions, `:x`.
    #[must_use]
    pub fn value(mut self, placeholder: impl Into<String>, value: AttributeValue) -> Self {
        self.values.push((placeholder.into(), value));
        self
    }

    /// Does not ask for the item: how large it is then makes no difference to how long the answer takes.
    #[must_use]
    pub fn quietly(mut self) -> Self {
        self.told = Told::Neither;
        self
    }

    /// Asks for the item where the condition fails on it alone; a `Done` then holds none of its attributes.
    #[must_use]
    pub fn unread(mut self) -> Self {
        self.told = Told::Met;
        self
    }

    /// Makes the update. A conflict with a transaction, which the SDK does not repeat, is tried again after a pause.
    pub async fn apply(self, client: &Client, table: &str, key: &Key) -> Result<Outcome, StoreError> {
        let request = self.request(client, table, key);
        let mut patience = Patience::of_a_write();
        loop {
            let error = match request.clone().send().await {
                Ok(output) => return Ok(Outcome::Done(output.attributes.unwrap_or_default())),
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    return Ok(Outcome::Met(failed.item.clone()));
                }
                Some(refused) if refused.code() == Some("TransactionConflictException") => patience.pause().await?,
                _ => return Err(error.into()),
            }
        }
    }

    /// The update as a part of a transaction.
    pub fn in_transaction(self, table: &str, key: &Key) -> Result<Update, StoreError> {
        let update = self.update_expression();
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(key.item()))
            .update_expression(update)
            .set_condition_expression(Some(self.condition).filter(|condition| !condition.is_empty()))
            .set_expression_attribute_names((!self.names.is_empty()).then(|| self.names.into_iter().collect()))
            .set_expression_attribute_values(Some(self.values.into_iter().collect()));
        build(update.build())
    }

    fn update_expression(&self) -> String {
        let clauses = [("SET", &self.set), ("ADD", &self.add), ("REMOVE", &self.remove)];
        let clauses = clauses.into_iter().filter(|(_, parts)| !parts.is_empty());
        clauses.map(|(word, parts)| format!("{word} {}", parts.join(", "))).collect::<Vec<_>>().join(" ")
    }

    fn request(self, client: &Client, table: &str, key: &Key) -> UpdateItemFluentBuilder {
        let update = self.update_expression();
        let names = (!self.names.is_empty()).then(|| self.names.into_iter().collect());
        let values = (!self.values.is_empty()).then(|| self.values.into_iter().collect());
        client
            .update_item()
            .table_name(table)
            .set_key(Some(key.item()))
            .update_expression(update)
            .set_condition_expression(Some(self.condition).filter(|condition| !condition.is_empty()))
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values(if self.told == Told::Either { ReturnValue::AllNew } else { ReturnValue::None })
            .return_values_on_condition_check_failure(if self.told == Told::Neither {
                ReturnValuesOnConditionCheckFailure::None
            } else {
                ReturnValuesOnConditionCheckFailure::AllOld
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_in_their_clauses() {
        let change =
            Change::provided("x = :x").remove("b").set("a = :a").add("n :n").set("c = :c").and_provided("y = :y");
        assert_eq!(change.update_expression(), "SET a = :a, c = :c ADD n :n REMOVE b");
        assert_eq!(change.condition, "(x = :x) AND (y = :y)");
    }
}
