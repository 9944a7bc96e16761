//! A partner without a node: Moldova offers by mail that its PGP key has signed, and France takes it down as relayed.

use std::sync::{Arc, Mutex};

use model::extension::assistance::{Answer, Payer};
use model::{Citation, PartnerClass, Reach};
use node::Node;
use node::actor::Actor;
use node::assist::relay::Saying;
use node::partner;
use node::ports::{Boxed, MailCipher, MailStandard, Mailbox, MailboxError, RawMail};
use node::reach::{self, NewPartner, PartnerKey, ReachError, Ways, mailbox};
use store::{MailSignature, MailState};
use tokio::sync::watch;

use super::DemoError;
use super::measure;
use super::report::say;
use crate::cipher::Programs;
use crate::cipher::people::People;

/// A mailbox with one mail.
struct OneMail(Mutex<Option<Vec<u8>>>);

impl Mailbox for OneMail {
    fn fetch(&self, most: usize) -> Boxed<'_, Result<Vec<RawMail>, MailboxError>> {
        let there = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone().filter(|_| most > 0);
        let mails = there.map(|bytes| RawMail { name: "1".to_owned(), bytes }).into_iter().collect();
        Box::pin(std::future::ready(Ok(mails)))
    }
    fn kept(&self, _: &str) -> Boxed<'_, Result<(), MailboxError>> {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Plays it; without `gpg` on the machine it is said that it is left out.
pub(super) async fn offers(france: &Node, request: &Citation) -> Result<(), DemoError> {
    let at = DemoError::at("Moldova offers by mail");
    let Ok(people) = People::new("cert@md.example").await else {
        say("    (gpg is not here: Moldova, which has no node, does not offer by mail)");
        return Ok(());
    };
    let own = People::new("help@fr.example").await.map_err(|error| at(&error))?;
    let (key, secret) = (people.public().await, own.secret().await);
    let (key, secret) = (key.map_err(|error| at(&error))?, secret.map_err(|error| at(&error))?);
    let programs = Programs { pgp: Some(secret), smime: None };
    known(france, &programs, key).await?;
    let text = "Content-Type: text/plain; charset=utf-8\r\n\r\nYes, two analysts from afar, tonight.\r\n";
    let mail = people.mail(&own, text).await.map_err(|error| at(&error))?;
    people.end().await;
    own.end().await;
    let number = arrived(france, programs, mail).await?;
    let (place, by) = (request.clone(), Actor::machine());
    let saying = Saying::Answer {
        answer: Answer::Yes,
        call: "CERT-MD duty officer (invented)".to_owned(),
        payer: Payer::Provider,
        valid_until: None,
        note: None,
        lines: Vec::new(),
    };
    let taken = france.write(move |work| mailbox::relay(work, number, &place, "duty officer (invented)", &saying, &by));
    taken.await.map_err(|error| at(&error))?;
    say(
        "    Moldova has no node: it offers by PGP mail, which its key has signed, and France takes it down as relayed",
    );
    Ok(())
}

/// France knows Moldova, and somebody has compared the fingerprint over the telephone.
async fn known(france: &Node, programs: &Programs, key: Vec<u8>) -> Result<(), DemoError> {
    let at = DemoError::at("France adds a partner without a node");
    let fingerprint = programs.key(MailStandard::Pgp, key.clone()).await.map_err(|error| at(&error))?;
    let country = "MD".parse().map_err(|error| DemoError::at("a country")(&error))?;
    let new = NewPartner {
        country,
        name: "CERT-MD (invented)".to_owned(),
        class: PartnerClass::ThirdCountry,
        ways: Ways {
            reach: Reach::MailPgp,
            mail: Some("cert@md.example".to_owned()),
            telephone: "+373 22 000000".to_owned(),
            key: Some(PartnerKey { bytes: key, fingerprint }),
        },
    };
    let added = france.write(move |work| {
        let row = reach::add(work, &new, &Actor::machine())?;
        partner::confirm(work, &row.origin.to_string())?;
        Ok::<_, ReachError>(())
    });
    added.await.map_err(|error| at(&error))
}

/// The mail comes in, and its key is one that was compared.
async fn arrived(france: &Node, programs: Programs, mail: Vec<u8>) -> Result<i64, DemoError> {
    let (stop, stopping) = watch::channel(false);
    let one: Arc<dyn Mailbox> = Arc::new(OneMail(Mutex::new(Some(mail))));
    let intake = tokio::spawn(mailbox::run(france.clone(), one, Arc::new(programs), stopping));
    let good = || async {
        let mails = france.read(|view| view.db.mails(1)).await.map_err(|error| DemoError::at("the mailbox")(&error))?;
        let good = |row: &store::MailRow| row.signature == MailSignature::Good && row.state == MailState::Waiting;
        Ok(mails.into_iter().find(good).map(|row| row.id))
    };
    measure::until("the mail is there", || async { Ok(good().await?.is_some()) }).await?;
    stop.send_replace(true);
    // A task that has panicked has stopped too.
    let _ = intake.await;
    good().await?.ok_or_else(|| DemoError::at("the mailbox")(&"the mail is gone"))
}
