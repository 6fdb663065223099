use std::sync::Arc;

use aws_sdk_dynamodb::{Client, operation::describe_table::DescribeTableError};
use futures_util::future::try_join_all;

use super::StoreError;

/// A table: what people call it, and what this stack called it when it was made.
#[derive(Clone, Debug)]
pub struct Table {
    pub label: &'static str,
    pub name: String,
}

/// The tables of a stack, to be asked whether they are there.
#[derive(Clone)]
pub struct Tables {
    client: Client,
    tables: Arc<[Table]>,
}

impl Tables {
    /// These tables.
    pub fn new(client: Client, tables: impl IntoIterator<Item = Table>) -> Self {
        Self { client, tables: tables.into_iter().collect() }
    }

    /// The labels of the tables that do not answer as active.
    ///
    /// # Errors
    /// Where DynamoDB as a whole does not answer.
    pub async fn unready(&self) -> Result<Vec<&'static str>, StoreError> {
        let asked = self
            .tables
            .iter()
            .map(|table| async { Ok::<_, StoreError>((table.label, self.is_active(&table.name).await?)) });
        let answers = try_join_all(asked).await?;
        Ok(answers.into_iter().filter(|(_, active)| !active).map(|(label, _)| label).collect())
    }

    async fn is_active(&self, name: &str) -> Result<bool, StoreError> {
        match self.client.describe_table().table_name(name).send().await {
            Ok(answer) => Ok(answer
                .table()
                .and_then(|table| table.table_status())
                .is_some_and(|status| status.as_str() == "ACTIVE")),
            Err(error) if error.as_service_error().is_some_and(DescribeTableError::is_resource_not_found_exception) => {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}
