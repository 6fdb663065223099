mod avatar;
mod delete_avatar;
mod upload_avatar;

use image::{DynamicImage, GenericImageView, ImageFormat};
use reqwest::{Client, Method, StatusCode, header};
use tests::client::{Answer, App, Member};

const PATH: &str = "/api/v1/users/me/avatar";

/// Sends a picture as the body itself.
async fn upload(app: &App, member: &Member, bytes: impl Into<Vec<u8>>) -> Answer {
    let request = app.request(Method::POST, PATH).bearer_auth(&member.access_token);
    app.send(request.header(header::CONTENT_TYPE, "image/png").body(bytes.into())).await
}

/// The avatars that there are, once the streams have caught up.
async fn objects(app: &App) -> Vec<String> {
    app.all_letters().await;
    app.objects("avatarbucket")
}

/// What a browser is shown at an address: follows it to the object.
async fn fetch(app: &App, path: &str) -> reqwest::Response {
    let answer = app.get(path).await;
    assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text);
    Client::new().get(answer.header("location")).send().await.unwrap()
}

/// The avatar that a member has, decoded.
async fn shown(app: &App, member: &Member) -> DynamicImage {
    let response = fetch(app, &format!("/api/v1/users/{}/avatar", member.id)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "image/webp");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "public, max-age=31536000, s-maxage=3600, immutable");
    let bytes = response.bytes().await.unwrap();
    for chunk in ["EXIF", "XMP ", "ICCP", "SECRET"] {
        assert!(!bytes.windows(chunk.len()).any(|window| window == chunk.as_bytes()), "{chunk} is in it");
    }
    let picture = image::load_from_memory_with_format(&bytes, ImageFormat::WebP).unwrap();
    assert_eq!(picture.dimensions(), (512, 512));
    picture
}

/// The plain word for the colour of a place, in hundredths of the edges.
fn colour(picture: &DynamicImage, x: u32, y: u32) -> &'static str {
    let [red, green, blue, _] = picture.get_pixel(x * 511 / 100, y * 511 / 100).0;
    match (red > 150, green > 150, blue > 150) {
        (true, false, false) => "red",
        (false, true, false) => "green",
        (false, false, true) => "blue",
        (true, false, true) => "magenta",
        (true, true, true) => "white",
        (false, false, false) => "black",
        _ => "something else",
    }
}

/// A picture in the form of a format: `left` of the middle red, right of it blue.
fn halves(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let pixels = image::RgbImage::from_fn(width, height, |x, _| {
        image::Rgb(if x < width / 2 { [255, 0, 0] } else { [0, 0, 255] })
    });
    encoded(&DynamicImage::ImageRgb8(pixels), format)
}

/// A picture all of one grey.
fn grey(shade: u8) -> Vec<u8> {
    encoded(&DynamicImage::ImageLuma8(image::GrayImage::from_pixel(40, 40, image::Luma([shade]))), ImageFormat::Png)
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}
