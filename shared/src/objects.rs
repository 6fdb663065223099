//! Objects in a bucket of S3.

use std::{sync::Arc, time::Duration};

use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    presigning::PresigningConfig,
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier},
};
use thiserror::Error;

use crate::{Platform, aws::reason, config::SettingError};

/// How long a signed address works: as long as it takes to follow it.
const SIGNED: Duration = Duration::from_secs(300);

/// Why the bucket could not answer.
#[derive(Debug, Error)]
pub enum ObjectError {
    /// S3 throttles, or is not to be reached in time. Trying again later may help.
    #[error("S3 is not available: {0}")]
    Unavailable(String),
    /// S3 refuses the call: a missing bucket, a missing permission.
    #[error("S3 refused the call: {0}")]
    Refused(String),
}

impl<E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static> From<SdkError<E>> for ObjectError {
    fn from(error: SdkError<E>) -> Self {
        let passes = match &error {
            SdkError::ServiceError(service) => {
                let status = service.raw().status();
                status.is_server_error() || service.err().code() == Some("SlowDown")
            }
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
            _ => false,
        };
        let chain = reason(&error);
        if passes { Self::Unavailable(chain) } else { Self::Refused(chain) }
    }
}

/// Bytes of a piece of an object: S3 takes none under 5 MiB, but for the last.
const PIECE: usize = 8 * 1024 * 1024;

/// An object that is being written.
pub struct ObjectWriter {
    objects: Objects,
    key: String,
    upload_id: String,
    parts: Vec<CompletedPart>,
    piece: Vec<u8>,
}

impl ObjectWriter {
    /// Adds to the object.
    ///
    /// # Errors
    /// Where S3 cannot answer.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), ObjectError> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE { self.send().await } else { Ok(()) }
    }

    async fn send(&mut self) -> Result<(), ObjectError> {
        let number = i32::try_from(self.parts.len() + 1).unwrap_or(i32::MAX);
        let piece = std::mem::take(&mut self.piece);
        let upload = self.objects.client.upload_part().bucket(&*self.objects.bucket).key(&self.key);
        let upload = upload.upload_id(&self.upload_id).part_number(number).body(ByteStream::from(piece));
        let sent = upload.send().await?;
        self.parts.push(CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag).build());
        Ok(())
    }

    /// Makes the object of what was written.
    ///
    /// # Errors
    /// Where S3 cannot answer.
    pub async fn finish(mut self) -> Result<(), ObjectError> {
        self.send().await?;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(self.parts)).build();
        let complete = self.objects.client.complete_multipart_upload().bucket(&*self.objects.bucket).key(&self.key);
        complete.upload_id(&self.upload_id).multipart_upload(parts).send().await?;
        Ok(())
    }
}

/// A bucket.
#[derive(Clone)]
pub struct Objects {
    client: Client,
    bucket: Arc<str>,
}

impl Objects {
    /// The bucket that the setting `name` names.
    ///
    /// # Errors
    /// Where the function was not given it.
    pub fn new(platform: &Platform, name: &'static str) -> Result<Self, SettingError> {
        Ok(Self { client: platform.aws.s3(), bucket: platform.settings.resource(name)?.into() })
    }

    /// Puts an object that never changes: whoever has it may keep it. A cache that others share asks again within the hour, since the
    /// object may be deleted.
    ///
    /// # Errors
    /// Where S3 cannot answer.
    pub async fn put_immutable(&self, key: &str, bytes: Vec<u8>, content_type: &str) -> Result<(), ObjectError> {
        let put = self.client.put_object().bucket(&*self.bucket).key(key).body(ByteStream::from(bytes));
        put.content_type(content_type)
            .cache_control("public, max-age=31536000, s-maxage=3600, immutable")
            .send()
            .await?;
        Ok(())
    }

    /// Begins an object that is for one person, and written piece by piece. Nobody sees it before it is finished.
    ///
    /// # Errors
    /// Where S3 cannot answer.
    pub async fn begin(&self, key: &str, content_type: &str) -> Result<ObjectWriter, ObjectError> {
        let begin = self.client.create_multipart_upload().bucket(&*self.bucket).key(key);
        let begun = begin.content_type(content_type).cache_control("no-store").send().await?;
        let upload_id = begun.upload_id.ok_or_else(|| ObjectError::Refused("an upload without an id".into()))?;
        Ok(ObjectWriter { objects: self.clone(), key: key.to_owned(), upload_id, parts: Vec::new(), piece: Vec::new() })
    }

    /// Deletes an object; one that is not there is no failure.
    ///
    /// # Errors
    /// Where S3 cannot answer.
    pub async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        self.client.delete_object().bucket(&*self.bucket).key(key).send().await?;
        Ok(())
    }

    /// Deletes every object under a prefix.
    ///
    /// # Errors
    /// Where S3 cannot answer.
    pub async fn delete_all(&self, prefix: &str) -> Result<(), ObjectError> {
        loop {
            let page = self.client.list_objects_v2().bucket(&*self.bucket).prefix(prefix).send().await?;
            let keys = page.contents().iter().filter_map(|object| object.key());
            let named = keys.map(|key| ObjectIdentifier::builder().key(key).build());
            let refused = |error: aws_sdk_s3::error::BuildError| ObjectError::Refused(error.to_string());
            let objects = named.collect::<Result<Vec<_>, _>>().map_err(refused)?;
            if objects.is_empty() {
                return Ok(());
            }
            let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build().map_err(refused)?;
            let answer = self.client.delete_objects().bucket(&*self.bucket).delete(delete).send().await?;
            // An object that S3 keeps is listed again: without this, for ever.
            if let Some(kept) = answer.errors().first() {
                return Err(ObjectError::Unavailable(format!(
                    "S3 keeps an object: {}",
                    kept.code().unwrap_or("no code")
                )));
            }
        }
    }

    /// An address at which anyone can fetch an object for a few minutes.
    ///
    /// # Errors
    /// Where there are no credentials to sign with.
    pub async fn sign(&self, key: &str) -> Result<String, ObjectError> {
        let config = PresigningConfig::expires_in(SIGNED).map_err(|error| ObjectError::Refused(error.to_string()))?;
        let request = self.client.get_object().bucket(&*self.bucket).key(key).presigned(config).await?;
        Ok(request.uri().to_owned())
    }
}
