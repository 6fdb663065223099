//! Reads `template.yaml`: what a deployment makes of it, the local stack makes of it too.

use std::collections::BTreeMap;

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

use crate::{StartError, aws};

/// The template, with its short forms (`!Ref`) written out.
#[derive(Clone, Debug)]
pub struct Template(Value);

/// A route of the HTTP API and the function that serves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// `GET /path/{name}`, or `$default`.
    pub key: String,
    /// The logical id of the function.
    pub function: String,
}

/// A function as a deployment would make it.
#[derive(Clone, Debug)]
pub struct Function {
    pub logical_id: String,
    /// The workspace's binary that it runs.
    pub binary: String,
    pub environment: BTreeMap<String, String>,
    pub memory_mb: u32,
    pub streams: Vec<StreamSource>,
}

/// A table whose stream a function reads.
#[derive(Clone, Debug)]
pub struct StreamSource {
    pub table: String,
    pub batch_size: usize,
    /// Event patterns; a record that matches none is not delivered.
    pub patterns: Vec<Value>,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: String,
    pub properties: Value,
    pub ttl_attribute: Option<String>,
}

/// What CloudFormation knows by itself.
const PSEUDO_PARAMETERS: &[(&str, &str)] = &[
    ("AWS::AccountId", "000000000000"),
    ("AWS::Partition", "aws"),
    ("AWS::Region", aws::REGION),
    ("AWS::StackName", "local"),
    ("AWS::URLSuffix", "amazonaws.com"),
];

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Where it is no YAML, or lacks its resources.
    pub fn parse(text: &str) -> Result<Self, StartError> {
        let documents = Yaml::load_from_str(text).map_err(|error| StartError::Template(error.to_string()))?;
        let document = documents.first().ok_or_else(|| StartError::Template("it is empty".into()))?;
        let template = Self(to_json(document));
        if template.0["Resources"].is_object() {
            Ok(template)
        } else {
            Err(StartError::Template("it has no resources".into()))
        }
    }

    /// The routes of the HTTP API.
    pub fn routes(&self) -> Vec<Route> {
        let routes = self.resources("AWS::ApiGatewayV2::Route");
        let read = |(_, properties): (&String, &Value)| {
            let integration = self.text(&properties["Target"]).strip_prefix("integrations/")?.to_owned();
            let uri = &self.0["Resources"][&integration]["Properties"]["IntegrationUri"];
            let function = uri["Fn::GetAtt"].as_str()?.strip_suffix(".Arn")?.to_owned();
            Some(Route { key: properties["RouteKey"].as_str()?.to_owned(), function })
        };
        routes.filter_map(read).collect()
    }

    /// The functions.
    pub fn functions(&self) -> Vec<Function> {
        let resources = self.0["Resources"].as_object().into_iter().flatten();
        let functions = resources.filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function");
        functions.filter_map(|(logical_id, resource)| self.function(logical_id, resource)).collect()
    }

    fn function(&self, logical_id: &str, resource: &Value) -> Option<Function> {
        let properties = &resource["Properties"];
        let shared = &self.0["Globals"]["Function"]["Environment"]["Variables"];
        let variables = [shared, &properties["Environment"]["Variables"]];
        let variables = variables.into_iter().filter_map(Value::as_object).flatten();
        let events = properties["Events"].as_object().into_iter().flatten();
        Some(Function {
            logical_id: logical_id.to_owned(),
            binary: resource["Metadata"]["BuildProperties"]["Binary"].as_str()?.to_owned(),
            environment: variables.map(|(name, value)| (name.clone(), self.text(value))).collect(),
            memory_mb: [&properties["MemorySize"], &self.0["Globals"]["Function"]["MemorySize"]]
                .into_iter()
                .find_map(|size| size.as_u64()?.try_into().ok())?,
            streams: events.filter_map(|(_, event)| stream(event)).collect(),
        })
    }

    /// The tables, each under its logical id as its name.
    pub fn tables(&self) -> Vec<Table> {
        let tables = self.resources("AWS::DynamoDB::Table");
        let read = |(name, properties): (&String, &Value)| Table {
            name: name.clone(),
            properties: properties.clone(),
            ttl_attribute: properties["TimeToLiveSpecification"]["AttributeName"].as_str().map(str::to_owned),
        };
        tables.map(read).collect()
    }

    /// The buckets, each under its logical id in lower case as its name.
    pub fn buckets(&self) -> Vec<String> {
        self.resources("AWS::S3::Bucket").map(|(name, _)| name.to_lowercase()).collect()
    }

    /// The secrets, each under its logical id as its name, with how its first value is generated.
    pub fn secrets(&self) -> Vec<(String, Value)> {
        let secrets = self.resources("AWS::SecretsManager::Secret");
        secrets.map(|(name, properties)| (name.clone(), properties["GenerateSecretString"].clone())).collect()
    }

    /// The resources that a function makes.
    pub fn custom_resources(&self) -> Vec<String> {
        let all = self.0["Resources"].as_object().into_iter().flatten();
        let custom =
            all.filter(|(_, resource)| resource["Type"].as_str().is_some_and(|kind| kind.starts_with("Custom::")));
        custom.map(|(name, _)| name.clone()).collect()
    }

    fn resources(&self, kind: &str) -> impl Iterator<Item = (&String, &Value)> {
        let all = self.0["Resources"].as_object().into_iter().flatten();
        all.filter(move |(_, resource)| resource["Type"] == kind)
            .filter(|(_, resource)| resource["Condition"].as_str().is_none_or(|name| self.holds(name)))
            .map(|(name, resource)| (name, &resource["Properties"]))
    }

    /// A value as CloudFormation would resolve it; a resource resolves to its logical id.
    fn text(&self, value: &Value) -> String {
        if let Some(name) = value["Ref"].as_str() {
            return self.reference(name);
        }
        if let Some(path) = value["Fn::GetAtt"].as_str() {
            return path.split('.').next().unwrap_or(path).to_owned();
        }
        if let [condition, then, otherwise] = value["Fn::If"].as_array().map_or(&[][..], Vec::as_slice) {
            let holds = condition.as_str().is_some_and(|name| self.holds(name));
            return self.text(if holds { then } else { otherwise });
        }
        if let Some(pattern) = value["Fn::Sub"].as_str() {
            return self.substituted(pattern);
        }
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    }

    /// Whether a condition holds while every parameter is at its default.
    fn holds(&self, name: &str) -> bool {
        self.is_true(&self.0["Conditions"][name])
    }

    fn is_true(&self, condition: &Value) -> bool {
        if let Some(name) = condition["Condition"].as_str() {
            return self.holds(name);
        }
        let list = |name: &str| condition[name].as_array().map_or(&[][..], Vec::as_slice);
        match (list("Fn::Equals"), list("Fn::Not"), list("Fn::And")) {
            ([left, right], ..) => self.text(left) == self.text(right),
            (_, [inner], _) => !self.is_true(inner),
            (.., all) => !all.is_empty() && all.iter().all(|inner| self.is_true(inner)),
        }
    }

    fn reference(&self, name: &str) -> String {
        if let Some((_, value)) = PSEUDO_PARAMETERS.iter().find(|(pseudo, _)| *pseudo == name) {
            return (*value).to_owned();
        }
        if self.0["Resources"][name]["Type"] == "AWS::S3::Bucket" {
            return name.to_lowercase();
        }
        let default = &self.0["Parameters"][name]["Default"];
        if default.is_null() { name.to_owned() } else { self.text(default) }
    }

    fn substituted(&self, pattern: &str) -> String {
        let mut parts = pattern.split("${");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            let (name, rest) = part.split_once('}').unwrap_or((part, ""));
            text + &self.reference(name) + rest
        })
    }
}

fn stream(event: &Value) -> Option<StreamSource> {
    let properties = &event["Properties"];
    let table = properties["Stream"]["Fn::GetAtt"].as_str()?.strip_suffix(".StreamArn")?.to_owned();
    let filters = properties["FilterCriteria"]["Filters"].as_array().into_iter().flatten();
    let patterns = filters.filter_map(|filter| serde_json::from_str(filter["Pattern"].as_str()?).ok());
    let batch_size = properties["BatchSize"].as_u64().unwrap_or(100);
    Some(StreamSource { table, batch_size: usize::try_from(batch_size).unwrap_or(100), patterns: patterns.collect() })
}

fn to_json(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Tagged(tag, inner) => tagged(&tag.suffix, to_json(inner)),
        Yaml::Representation(text, _, Some(tag)) => tagged(&tag.suffix, Value::String(text.to_string())),
        Yaml::Representation(text, _, None) => Value::String(text.to_string()),
        Yaml::Value(scalar) => match scalar {
            Scalar::Null => Value::Null,
            Scalar::Boolean(flag) => json!(flag),
            Scalar::Integer(number) => json!(number),
            Scalar::FloatingPoint(number) => json!(number.into_inner()),
            Scalar::String(text) => json!(text),
        },
        Yaml::Sequence(values) => values.iter().map(to_json).collect(),
        Yaml::Mapping(entries) => {
            let text = |key: &Yaml<'_>| to_json(key).as_str().map_or_else(|| to_json(key).to_string(), str::to_owned);
            Value::Object(entries.iter().map(|(key, value)| (text(key), to_json(value))).collect::<Map<_, _>>())
        }
        Yaml::Alias(_) | Yaml::BadValue => Value::Null,
    }
}

/// `!Ref x` is `{"Ref": x}` and `!Condition x` alike, every other short form `{"Fn::…": x}`.
fn tagged(name: &str, value: Value) -> Value {
    let long = if ["Ref", "Condition"].contains(&name) { name.to_owned() } else { format!("Fn::{name}") };
    json!({ long: value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TEMPLATE;

    #[test]
    fn routes_functions_and_tables_are_read_as_they_would_be_deployed() {
        let template = Template::parse(TEMPLATE).unwrap();
        assert!(template.routes().contains(&Route { key: "POST /auth/login".into(), function: "AuthFunction".into() }));
        let functions = template.functions();
        let auth = functions.iter().find(|function| function.binary == "auth").unwrap();
        assert_eq!(auth.environment["USERS_TABLE"], "UsersTable");
        assert_eq!(auth.environment["SIGNING_KEYS_SECRET"], "SigningKeys");
        assert_eq!(auth.environment["ACCESS_TTL_MIN"], "15");
        assert_eq!(auth.environment["ORIGIN_SECRET"], "", "there is no edge by default");
        assert!(template.secrets().iter().all(|(name, _)| name != "OriginSecret"));
        let mailer = functions.iter().find(|function| function.binary == "mailer").unwrap();
        assert_eq!(mailer.streams[0].table, "UsersTable");
        assert!(!mailer.streams[0].patterns.is_empty());
        let tokens = template.tables().into_iter().find(|table| table.name == "TokensTable").unwrap();
        assert_eq!(tokens.ttl_attribute.as_deref(), Some("expires_at"));
    }
}
