use serde_json::json;
use tests::client::App;

#[tokio::test]
async fn other_services_learn_who_is_an_admin() {
    let app = App::with(&[("ADMIN_EMAILS", "root@example.com")]).await;
    let (admin, member) = (app.member("root@example.com").await, app.member("alice@example.com").await);
    for path in ["/users/is-admin", "/api/v1/users/is-admin", "/api/v1/users/users/is-admin"] {
        assert_eq!(app.get_as(&admin, path).await.json(), json!({ "is_admin": true }), "{path}");
        assert_eq!(app.get_as(&member, path).await.json(), json!({ "is_admin": false }), "{path}");
        assert_eq!(app.get(path).await.code(), "authentication_required");
    }
}
