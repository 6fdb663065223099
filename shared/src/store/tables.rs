use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aws_sdk_dynamodb::{
    Client,
    operation::{describe_table::DescribeTableError, get_item::GetItemError},
};
use futures_util::future::try_join_all;

use super::{StoreError, keys};

/// A table: what people call it, and what this stack called it when it was made.
#[derive(Clone, Debug)]
pub struct Table {
    pub label: &'static str,
    pub name: String,
}

/// What DynamoDB tells of a table.
#[derive(Clone, Debug)]
pub struct TableState {
    pub label: &'static str,
    /// DynamoDB's word for it; nothing where there is no such table.
    pub state: Option<String>,
    /// How long it took to tell.
    pub latency: Duration,
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

    /// The labels of the tables that cannot be read. Each is asked as requests ask it, and not for its description: the whole
    /// account has 2,500 calls a second for those
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-control-plane.html>), and a table whose settings
    /// are being changed serves as ever.
    ///
    /// # Errors
    /// Where DynamoDB as a whole does not answer.
    pub async fn unready(&self) -> Result<Vec<&'static str>, StoreError> {
        let readable = try_join_all(self.tables.iter().map(|table| self.is_readable(table))).await?;
        let unready = self.tables.iter().zip(readable).filter(|(_, readable)| !readable);
        Ok(unready.map(|(table, _)| table.label).collect())
    }

    /// Each table's state, and how long it took to tell.
    ///
    /// # Errors
    /// Where DynamoDB as a whole does not answer.
    pub async fn describe(&self) -> Result<Vec<TableState>, StoreError> {
        try_join_all(self.tables.iter().map(|table| self.state(table))).await
    }

    async fn is_readable(&self, table: &Table) -> Result<bool, StoreError> {
        let read = self.client.get_item().table_name(&table.name).set_key(Some(keys::probe().item()));
        match read.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(GetItemError::is_resource_not_found_exception) => {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn state(&self, table: &Table) -> Result<TableState, StoreError> {
        let began = Instant::now();
        let state = match self.client.describe_table().table_name(&table.name).send().await {
            Ok(answer) => answer.table().and_then(|table| Some(table.table_status()?.as_str().to_owned())),
            Err(error) if error.as_service_error().is_some_and(DescribeTableError::is_resource_not_found_exception) => {
                None
            }
            Err(error) => return Err(error.into()),
        };
        Ok(TableState { label: table.label, state, latency: began.elapsed() })
    }
}
