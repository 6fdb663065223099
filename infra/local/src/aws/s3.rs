//! S3: the server s3s over a folder.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, Method, Request, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use tempfile::TempDir;

use crate::{Data, StartError, template::Template};

/// The server, and the folder that goes with it where nothing is kept.
#[derive(Clone)]
pub struct S3 {
    service: S3Service,
    root: PathBuf,
    _folder: Option<Arc<TempDir>>,
}

impl S3 {
    /// Opens the objects, and makes the buckets that the template names.
    ///
    /// # Errors
    /// Where the folder cannot be used.
    pub fn open(data: &Data, template: &Template) -> Result<Self, StartError> {
        let failed = |error: std::io::Error| StartError::Aws(error.to_string());
        let (folder, root) = match data {
            Data::Memory => {
                let folder = TempDir::new().map_err(failed)?;
                let root = folder.path().to_owned();
                (Some(Arc::new(folder)), root)
            }
            Data::Folder(folder) => (None, folder.join("s3")),
        };
        for bucket in template.buckets() {
            fs::create_dir_all(root.join(bucket)).map_err(failed)?;
        }
        Ok(Self { service: service(&root)?, root, _folder: folder })
    }

    /// The keys of a bucket's objects, in alphabetical order.
    pub fn objects(&self, bucket: &str) -> Vec<String> {
        let root = self.root.join(bucket);
        let (mut folders, mut keys) = (vec![root.clone()], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(key) = path.strip_prefix(&root) {
                    keys.push(key.to_string_lossy().into_owned());
                }
            }
        }
        keys.sort();
        keys
    }

    /// Answers a call.
    pub async fn call(&self, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
        let mut request = Request::new(s3s::Body::from(body));
        (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = (method, uri, headers);
        match self.service.call(request).await {
            Ok(response) => response.map(Body::new),
            Err(_) => failure(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

fn service(root: &Path) -> Result<S3Service, StartError> {
    let files = s3s_fs::FileSystem::new(root).map_err(|error| StartError::Aws(format!("{error:?}")))?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single("local", "local"));
    Ok(builder.build())
}

/// Whether a request is signed for S3, in its header or in its query.
pub fn is_for(uri: &Uri, headers: &HeaderMap) -> bool {
    let signed = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    signed.is_some_and(|signed| signed.contains("/s3/aws4_request"))
        || uri.query().is_some_and(|query| query.contains("X-Amz-Signature="))
}

/// The failure that S3 answers with that status.
pub fn failure(status: StatusCode) -> Response {
    let code = if status.is_server_error() { "InternalError" } else { "SlowDown" };
    let status = if status.is_server_error() { status } else { StatusCode::SERVICE_UNAVAILABLE };
    let xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code></Error>");
    (status, [(header::CONTENT_TYPE, "application/xml")], xml).into_response()
}
