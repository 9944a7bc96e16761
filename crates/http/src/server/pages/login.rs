//! Logging in with login, password and one-time code, or with a passkey, and out again.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::api::App;
use super::super::api::passkeys::Reached;
use super::super::api::refusal::Refusal;
use super::super::api::request::Params;
use super::super::api::session::{self, Credentials};
use super::assets::LINKS;
use super::frame::{Frame, brand, notice};
use super::link::local;
use super::posted::{Open, Posted};

/// Where the login leads.
#[derive(Debug, Default, Deserialize)]
pub struct Whence {
    to: Option<String>,
}

/// The form.
pub async fn page(State(app): State<App>, reached: Reached, Params(whence): Params<Whence>) -> Markup {
    Frame::outside(&app).page("Log in", &form(&reached, local(whence.to.as_deref()), "", false))
}

/// Begins a session, and leads back to where one was.
pub async fn log_in(State(app): State<App>, reached: Reached, Open(fields): Open) -> Result<Response, Refusal> {
    let login = fields.text("login").to_owned();
    let back = local(Some(fields.text("to"))).to_owned();
    // Authenticators show the code in two groups of three.
    let code = fields.text("code").replace(' ', "");
    let credentials = Credentials { login: login.clone(), password: fields.raw("password"), code };
    match session::log_in(State(app.clone()), fields.input(credentials)).await {
        Ok(answer) => {
            let cookies: HeaderMap = answer
                .headers()
                .get(header::SET_COOKIE)
                .map(|set| (header::SET_COOKIE, set.clone()))
                .into_iter()
                .collect();
            Ok((cookies, Redirect::to(&back)).into_response())
        }
        Err(Refusal(problem)) if problem.status == 401 => {
            // The password and the code are never sent back; the login is what people retype wrongly.
            let again = Frame::outside(&app).page("Log in", &form(&reached, &back, &login, true));
            Ok((StatusCode::UNAUTHORIZED, again).into_response())
        }
        Err(other) => Err(other),
    }
}

/// Ends the session.
pub async fn log_out(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let answer = session::log_out(State(app), posted.caller).await?;
    let cookies: HeaderMap =
        answer.headers().get(header::SET_COOKIE).map(|set| (header::SET_COOKIE, set.clone())).into_iter().collect();
    Ok((cookies, Redirect::to("/login")).into_response())
}

fn form(reached: &Reached, back: &str, login: &str, failed: bool) -> Markup {
    html! {
        div class="card narrow login" {
            p class="brand dark" { (brand()) "Entraide" }
            h1 { "Log in" }
            @if failed {
                (notice("bad", "That did not fit: login, password or code is wrong, the code was used already, or the \
                                account waits. Try again with a new code, or ask an administrator."))
            }
            form method="post" action="/login" {
                input type="hidden" name="to" value=(back);
                label for="login" { "Login" }
                input id="login" name="login" value=(login) autocomplete="username" autocapitalize="none"
                    spellcheck="false" required autofocus[!failed];
                label for="password" { "Password" }
                input id="password" name="password" type="password" autocomplete="current-password" required
                    autofocus[failed];
                label for="code" { "One-time code" }
                input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 ]{6,7}"
                    aria-describedby="code-hint" required;
                p id="code-hint" class="quiet" { "Six digits from your authenticator. Each works once." }
                button { "Log in" }
            }
            @if let Some(host) = &reached.host {
                div id="passkey" class="or" data-does="log-in" data-host=(host.as_str()) hidden {
                    button type="button" class="plain" { "Log in with a passkey" }
                    p class="notice bad" role="alert" hidden {}
                }
                script src=(LINKS.passkey) defer {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_login_keeps_the_login_and_nothing_else() {
        let reached = Reached { host: None, port: None };
        let text = form(&reached, "/objects?q=%3C", "\"><script>x", true).into_string();
        assert!(text.contains("&quot;&gt;&lt;script&gt;x") && !text.contains("<script"), "{text}");
        assert!(text.contains("role=\"alert\"") && text.contains("value=\"/objects?q=%3C\""), "{text}");
    }
}
