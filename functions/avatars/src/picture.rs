use std::{io::Cursor, sync::Arc, thread};

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, imageops::FilterType};
use thiserror::Error;
use tokio::{sync::Semaphore, task};
use webp::WebPConfig;

/// Pixels along each edge of an avatar.
const EDGE: u32 = 512;
/// Quality of the WebP, of 100.
const QUALITY: f32 = 82.0;
/// How hard libwebp looks for a smaller encoding, of 6.
const EFFORT: i32 = 2;
/// Pixels that a picture may have: more than any telephone takes.
const MOST_PIXELS: u64 = 50_000_000;
/// Pixels along one edge that a picture may have.
const LONGEST_EDGE: u32 = 20_000;
/// Bytes that decoding may take.
const MOST_MEMORY: u64 = 512 * 1024 * 1024;

/// Why a picture is not taken.
#[derive(Debug, Error)]
pub enum PictureError {
    #[error("The picture must be a JPEG, a PNG or a WebP.")]
    Kind,
    #[error("The picture has too many pixels.")]
    TooLarge,
    #[error("The picture cannot be read.")]
    Broken,
    #[error("pictures are not worked on: {0}")]
    Failed(String),
}

/// Re-encodes pictures on blocking threads, as many at once as there are processors.
#[derive(Clone)]
pub struct Studio(Arc<Semaphore>);

impl Studio {
    /// A studio for this machine.
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(thread::available_parallelism().map_or(1, usize::from))))
    }

    /// An avatar of a picture: its middle, 512 by 512 pixels, as WebP. Nothing else of what was sent is in it.
    ///
    /// # Errors
    /// Where it is no picture, or a larger one than is taken.
    pub async fn avatar(&self, bytes: Vec<u8>) -> Result<Vec<u8>, PictureError> {
        let failed = |reason: String| PictureError::Failed(reason);
        let _place = self.0.acquire().await.map_err(|error| failed(error.to_string()))?;
        task::spawn_blocking(move || avatar(&bytes)).await.map_err(|error| failed(error.to_string()))?
    }
}

fn avatar(bytes: &[u8]) -> Result<Vec<u8>, PictureError> {
    let picture = decode(bytes)?;
    let edge = picture.width().min(picture.height());
    let (left, top) = ((picture.width() - edge) / 2, (picture.height() - edge) / 2);
    // Cut out before it is scaled: a picture of 8000 by 1 must not become one of 4 million by 512.
    let square = picture.crop_imm(left, top, edge, edge).resize_exact(EDGE, EDGE, FilterType::Triangle);
    encode(&square)
}

fn decode(bytes: &[u8]) -> Result<DynamicImage, PictureError> {
    // What it is called is not asked: its first bytes tell what it is.
    let format = image::guess_format(bytes).map_err(|_| PictureError::Kind)?;
    if ![ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP].contains(&format) {
        return Err(PictureError::Kind);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_EDGE);
    limits.max_image_height = Some(LONGEST_EDGE);
    limits.max_alloc = Some(MOST_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(refused)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS || decoder.total_bytes() > MOST_MEMORY {
        return Err(PictureError::TooLarge);
    }
    let orientation = decoder.orientation().map_err(refused)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(refused)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn refused(error: ImageError) -> PictureError {
    match error {
        ImageError::Limits(_) => PictureError::TooLarge,
        _ => PictureError::Broken,
    }
}

fn encode(picture: &DynamicImage) -> Result<Vec<u8>, PictureError> {
    let pixels = picture.to_rgba8();
    let opaque = pixels.pixels().all(|pixel| pixel.0[3] == u8::MAX);
    let config = WebPConfig::new().map_err(|()| PictureError::Failed("libwebp is another one".into()))?;
    let config = WebPConfig { quality: QUALITY, method: EFFORT, ..config };
    let encoded = if opaque {
        let pixels = DynamicImage::ImageRgba8(pixels).to_rgb8();
        webp::Encoder::from_rgb(&pixels, EDGE, EDGE).encode_advanced(&config)
    } else {
        webp::Encoder::from_rgba(&pixels, EDGE, EDGE).encode_advanced(&config)
    };
    let encoded = encoded.map_err(|error| PictureError::Failed(format!("{error:?}")))?;
    Ok(encoded.to_vec())
}
