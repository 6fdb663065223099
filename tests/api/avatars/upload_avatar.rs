use futures_util::future::join_all;
use image::{DynamicImage, ImageFormat};
use reqwest::{Method, StatusCode, header};
use serde_json::json;
use tests::client::App;

use super::{PATH, colour, encoded, fetch, grey, halves, objects, shown, upload};

const BOUNDARY: &str = "a-boundary";

fn form(name: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"../x.svg\"\r\nContent-Type: text/html\r\n\r\n"
    );
    [head.as_bytes(), bytes, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat()
}

#[tokio::test]
async fn every_kind_becomes_512_by_512_pixels_of_webp_cut_from_the_middle() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    for (width, height, format) in [
        (800, 400, ImageFormat::Png),
        (1200, 900, ImageFormat::Jpeg),
        (300, 700, ImageFormat::WebP),
        (8000, 2, ImageFormat::Png),
        (2, 1, ImageFormat::Png),
    ] {
        let answer = upload(&app, &alice, halves(width, height, format)).await;
        assert_eq!(answer.status, StatusCode::OK, "{format:?}: {}", answer.text);
        let address = answer.json()["avatar_url"].as_str().unwrap().to_owned();
        assert!(address.ends_with(&format!("/api/v1/users/{}/avatar", alice.id)), "{address}");
        let picture = shown(&app, &alice).await;
        if width > 2 {
            assert_eq!((colour(&picture, 10, 50), colour(&picture, 90, 50)), ("red", "blue"), "{format:?}");
        }
    }
}

#[tokio::test]
async fn odd_pictures_come_out_as_people_see_them() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let cases: [(&str, &[u8], [&str; 2]); 4] = [
        ("CMYK", include_bytes!("pictures/cmyk.jpg"), ["red", "blue"]),
        // Stored red above blue, to be turned by a quarter: what was above is on the right.
        ("turned by EXIF", include_bytes!("pictures/rotated.jpg"), ["blue", "red"]),
        ("animated WebP", include_bytes!("pictures/animated.webp"), ["green", "green"]),
        ("animated PNG", include_bytes!("pictures/animated.png"), ["green", "green"]),
    ];
    for (name, bytes, colours) in cases {
        let answer = upload(&app, &alice, bytes).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.text);
        let picture = shown(&app, &alice).await;
        assert_eq!([colour(&picture, 10, 50), colour(&picture, 90, 50)], colours, "{name}");
    }
    let deep = image::ImageBuffer::from_fn(40, 40, |x, _| {
        image::Rgb(if x < 20 { [u16::MAX, 0, 0] } else { [0, 0, u16::MAX] })
    });
    upload(&app, &alice, encoded(&DynamicImage::ImageRgb16(deep), ImageFormat::Png)).await;
    let picture = shown(&app, &alice).await;
    assert_eq!((colour(&picture, 10, 50), colour(&picture, 90, 50)), ("red", "blue"), "16 bits");
    let clear = image::RgbaImage::from_fn(40, 40, |x, _| image::Rgba([255, 0, 0, if x < 20 { 0 } else { 255 }]));
    upload(&app, &alice, encoded(&DynamicImage::ImageRgba8(clear), ImageFormat::Png)).await;
    let picture = shown(&app, &alice).await.to_rgba8();
    assert!(
        picture.get_pixel(30, 256).0[3] < 30 && picture.get_pixel(480, 256).0[3] > 225,
        "what is clear stays clear"
    );
}

#[tokio::test]
async fn what_is_no_such_picture_is_refused_and_the_old_one_stays() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    upload(&app, &alice, halves(40, 40, ImageFormat::Png)).await;
    let before = app.get_as(&alice, "/users/me").await.json();
    let png = halves(400, 400, ImageFormat::Png);
    let wide = encoded(&DynamicImage::ImageLuma8(image::GrayImage::new(20_001, 2)), ImageFormat::Png);
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;
    let cases: [(&str, &[u8], u16, &str); 8] = [
        ("SVG", svg, 415, "unsupported_media_type"),
        ("HTML", b"<!doctype html><html><script>alert(1)</script></html>", 415, "unsupported_media_type"),
        ("GIF", include_bytes!("pictures/picture.gif"), 415, "unsupported_media_type"),
        ("nothing of the kind", b"hello", 415, "unsupported_media_type"),
        ("truncated", &png[..png.len() / 2], 422, "invalid_image"),
        ("60000 by 60000", include_bytes!("pictures/bomb.png"), 422, "invalid_image"),
        ("too wide", &wide, 422, "invalid_image"),
        ("empty", b"", 422, "validation_failed"),
    ];
    for (name, bytes, status, code) in cases {
        let answer = upload(&app, &alice, bytes).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{name}: {}", answer.text);
    }
    assert_eq!(app.get_as(&alice, "/users/me").await.json(), before);
    shown(&app, &alice).await;
}

#[tokio::test]
async fn a_form_carries_the_file_under_its_name() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let send = async |content_type: &str, body: Vec<u8>| {
        let request = app.request(Method::POST, PATH).bearer_auth(&alice.access_token);
        app.send(request.header(header::CONTENT_TYPE, content_type).body(body)).await
    };
    let multipart = format!("multipart/form-data; boundary={BOUNDARY}");
    let png = halves(40, 40, ImageFormat::Png);
    assert_eq!(send(&multipart, form("file", &png)).await.status, StatusCode::OK);
    shown(&app, &alice).await;
    assert_eq!(send(&multipart, form("picture", &png)).await.refused_fields(), ["file"]);
    assert_eq!(send(&multipart, b"nonsense".to_vec()).await.code(), "malformed_body");
    assert_eq!(send("multipart/form-data", form("file", &png)).await.code(), "malformed_body");
    assert_eq!(send("text/html", png.clone()).await.code(), "unsupported_media_type");
    assert_eq!(send(&multipart, form("file", b"<svg/>")).await.code(), "unsupported_media_type");
}

#[tokio::test]
async fn a_file_is_as_large_as_the_setting_says_and_no_larger() {
    let app = App::with(&[("MAX_AVATAR_SIZE", "2000")]).await;
    let alice = app.member("alice@example.com").await;
    let noise = image::RgbImage::from_fn(64, 64, |x, y| {
        image::Rgb([(x * 7919 + y * 104_729) as u8, (x * y) as u8, (x ^ y) as u8])
    });
    let large = encoded(&DynamicImage::ImageRgb8(noise), ImageFormat::Png);
    assert!(large.len() > 2000, "{}", large.len());
    assert_eq!(upload(&app, &alice, large.clone()).await.code(), "body_too_large");
    let multipart = format!("multipart/form-data; boundary={BOUNDARY}");
    for body in [form("file", &large), form("file", &vec![0; 200_000])] {
        let request = app.request(Method::POST, PATH).bearer_auth(&alice.access_token);
        let answer = app.send(request.header(header::CONTENT_TYPE, &multipart).body(body)).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"));
    }
    assert_eq!(upload(&app, &alice, halves(20, 20, ImageFormat::Png)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_old_object_goes_when_it_is_replaced_also_by_many_at_once() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let pictures = (1..=6).map(|number| grey(number * 40));
    let answers = join_all(pictures.map(|picture| upload(&app, &alice, picture))).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK));
    assert_eq!(objects(&app).await.len(), 1);
    shown(&app, &alice).await;
    for _ in 0..2 {
        upload(&app, &alice, grey(100)).await;
        assert_eq!(objects(&app).await.len(), 1);
        shown(&app, &alice).await;
    }
}

#[tokio::test]
async fn a_picture_that_comes_again_is_not_lost_with_the_object_that_it_had() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    upload(&app, &alice, grey(100)).await;
    app.fault(json!({ "service": "s3", "operation": "DELETE", "kind": "slow", "milliseconds": 2000, "count": 1 }))
        .await;
    for level in [200, 100] {
        assert_eq!(upload(&app, &alice, grey(level)).await.status, StatusCode::OK);
    }
    assert_eq!(objects(&app).await.len(), 1);
    shown(&app, &alice).await;
}

#[tokio::test]
async fn an_admin_gives_anyone_an_avatar_and_a_member_only_themselves() {
    let (app, root) = App::with_admin(&[]).await;
    let (alice, bob) = (app.member("alice@example.com").await, app.member("bob@example.com").await);
    let path = format!("/api/v1/users/{}/avatar", bob.id);
    let send = async |token: &str| {
        let request = app.request(Method::POST, &path).bearer_auth(token).header(header::CONTENT_TYPE, "image/png");
        app.send(request.body(halves(40, 40, ImageFormat::Png))).await
    };
    assert_eq!(send(&alice.access_token).await.code(), "forbidden");
    assert_eq!(send(&root.access_token).await.status, StatusCode::OK);
    shown(&app, &bob).await;
    let trail = app.get_as(&root, &format!("/api/v1/admin/audit?target={}", bob.id)).await.json();
    assert_eq!(trail[0]["changes"], json!({ "avatar": "edited" }));
}

#[tokio::test]
async fn deleting_the_account_takes_its_avatar_along_and_nobody_elses() {
    let app = App::start().await;
    let (alice, bob) = (app.member("alice@example.com").await, app.member("bob@example.com").await);
    for member in [&alice, &bob] {
        upload(&app, member, halves(40, 40, ImageFormat::Png)).await;
    }
    assert_eq!(objects(&app).await.len(), 2, "the same picture is each person's own");
    app.delete_as(&alice, "/users/me").await;
    let left = objects(&app).await;
    assert!(left.len() == 1 && left[0].contains(&bob.id), "{left:?}");
    assert_eq!(app.get(&format!("/api/v1/users/{}/avatar", alice.id)).await.status, StatusCode::NOT_FOUND);
    fetch(&app, &format!("/api/v1/users/{}/avatar", bob.id)).await;
}

#[tokio::test]
async fn while_the_bucket_fails_the_answer_is_503_and_the_old_avatar_stays() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    upload(&app, &alice, halves(40, 40, ImageFormat::Png)).await;
    let before = app.get_as(&alice, "/users/me").await.json();
    app.fault(json!({ "service": "s3", "kind": "error", "count": 4 })).await;
    let failed = upload(&app, &alice, halves(50, 50, ImageFormat::Png)).await;
    assert_eq!((failed.status, failed.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    assert_eq!(app.get_as(&alice, "/users/me").await.json(), before);
}
