use aws_sdk_dynamodb::{Client, operation::describe_table::DescribeTableError};
use std::sync::Arc;

use super::StoreError;

/// The client, and the names of the tables that a function was given.
#[derive(Clone)]
pub struct Tables {
    pub(super) client: Client,
    names: Arc<[String]>,
}

impl Tables {
    /// The tables of these names, to be asked whether they are there.
    pub fn new(client: Client, names: impl IntoIterator<Item = String>) -> Self {
        Self { client, names: names.into_iter().collect() }
    }

    /// The names of the tables that do not answer as active.
    ///
    /// # Errors
    /// Where DynamoDB as a whole does not answer.
    pub async fn unready(&self) -> Result<Vec<String>, StoreError> {
        let mut unready = Vec::new();
        for name in self.names.iter() {
            let answer = self.client.describe_table().table_name(name).send().await;
            let active = match answer {
                Ok(answer) => answer
                    .table()
                    .and_then(|table| table.table_status())
                    .is_some_and(|status| status.as_str() == "ACTIVE"),
                Err(error)
                    if error.as_service_error().is_some_and(DescribeTableError::is_resource_not_found_exception) =>
                {
                    false
                }
                Err(error) => return Err(error.into()),
            };
            if !active {
                unready.push(name.clone());
            }
        }
        Ok(unready)
    }
}
