package keap

import "carryover/migrate/sheet"

// secretHeaders are the columns that no export needs and nobody may keep, in the languages of
// Keap's users: English, Spanish, German, French, Portuguese, Dutch and Italian. A birthday is
// none: it is an ordinary column of contacts.
var secretHeaders = sheet.NewSecretHeaders(
	// Passwords, and what takes their place.
	"*password*", "*passphrase*", "*passcode*", "*passwort*", "*kennwort*", "*wachtwoord*", "*motdepasse*", "*palavrapasse*",
	"*contrasena*",
	"*contrasenia*", "*paroladordine*", "*parolasegreta*", "~passwd", "~pwd", "~pswd", "~pw", "~senha", "~pin", "*pincode*", "*pinnumber*",
	"pass", "userpass", "loginpass", "webpass", "ftppass", "emailpass", "affpass", "adminpass", "clave", "*clavedeacceso*",
	"*clavesecreta*",
	"*codepin*", "*codigopin*", "*codesecret*", "*codeconfidentiel*", "*codigosecreto*", "*codicesegreto*", "*geheimzahl*", "*geheimcode*",
	"*geheimnummer*", "*secretcode*", "*secretword*", "~secret", "~otp", "~totp", "~mfa", "2fa", "*recoverycode*", "*backupcode*",

	// Questions that give a password back.
	"*secretanswer*", "*secretquestion*", "*securityanswer*", "*securityquestion*", "*maidenname*", "*sicherheitsfrage*",
	"*sicherheitsantwort*",
	"*geheimfrage*", "*geheimantwort*", "*preguntasecreta*", "*preguntadeseguridad*", "*respuestasecreta*", "*respuestadeseguridad*",
	"*questionsecrete*", "*questiondesecurite*", "*reponsesecrete*", "*reponsedesecurite*", "*perguntasecreta*", "*perguntadeseguranca*",
	"*respostasecreta*", "*respostadeseguranca*", "*domandasegreta*", "*domandadisicurezza*", "*rispostasegreta*", "*rispostadisicurezza*",
	"*geheimevraag*", "*beveiligingsvraag*", "*geheimantwoord*", "*beveiligingsantwoord*",

	// Keys of programs.
	"*apikey*", "*apitoken*", "*apisecret*", "*accesstoken*", "*accesskey*", "*authtoken*", "*bearertoken*", "*refreshtoken*",
	"*sessiontoken*",
	"*privatekey*", "*secretkey*", "*encryptionkey*", "*clientsecret*", "*apischlussel*", "*apischluessel*", "*claveapi*", "*clavedeapi*",
	"*cleapi*", "*cledapi*", "*chaveapi*", "*chavedeapi*", "*chavedaapi*", "*chiaveapi*", "*apisleutel*",

	// Who a person is to the state.
	"~ssn", "*last4ssn*", "*ssnlast4*", "ssnumber", "*socialsecurity*", "*socialinsurance*", "*nationalinsurance*", "~ein", "~itin", "~tin",
	"sin", "sinnumber", "sinno", "ssnsin", "sinssn", "ssnorsin", "*taxid*", "*taxpayer*", "*taxnumber*", "*taxidentification*",
	"*employeridentification*", "*steuernummer*", "*steuerid*", "*sozialversicherung*", "*seguridadsocial*", "*identificacionfiscal*",
	"*numerofiscal*", "*securitesociale*", "*identifiantfiscal*", "*segurancasocial*", "*identificacaofiscal*", "*sicurezzasociale*",
	"*codicefiscale*", "*burgerservicenummer*", "*rijksregister*", "*fiscaalnummer*", "~nif", "~dni", "~curp", "~cpf", "~cnpj",
	"~bsn", "~nss",
	"rfc", "cif", "nie", "nino", "*passport*", "*pasaporte*", "*passaporte*", "*passaporto*", "*passeport*", "*paspoort*", "*reisepass*",
	"*personalausweis*", "*driverslicen*", "*driverlicen*", "*drivinglicen*", "*fuhrerschein*", "*fuehrerschein*", "*nationalid*",
	"*aadhaar*",

	// Bank accounts.
	"*accountnumber*", "accountno", "*acctnumber*", "acctno", "*bankaccount*", "*routingnumber*", "routing", "routingno",
	"*routingtransit*",
	"*abarouting*", "*sortcode*", "*bankcode*", "*swiftcode*", "*biccode*", "~iban", "*ibannumber*", "~swift", "~bic", "~bsb",
	"~blz", "~clabe",
	"~cbu", "aba", "abanumber", "*kontonummer*", "*kontonumber*", "kontonr", "*bankleitzahl*", "*bankverbindung*", "*numerodecuenta*",
	"*numberdecuenta*", "*nodecuenta*", "*cuentabancaria*", "*numerodecompte*", "*nodecompte*", "*comptebancaire*", "*numerodaconta*",
	"*numerodeconta*", "*contabancaria*", "*numerodiconto*", "*numeroconto*", "*contobancario*", "*contocorrente*", "*coordinatebancarie*",
	"*rekeningnummer*", "*rekeningnumber*", "*bankrekening*",

	// Cards.
	"card", "cc", "*cardtype*", "*nameoncard*", "*cardholder*", "*cardnumber*", "*cardnum*", "cardno", "*cardcode*", "*cardpin*",
	"*cardlast*",
	"*carddetails*", "*cardexp*", "*cardsecurity*", "*cardverification*", "*creditcard*", "*debitcard*", "*bankcard*", "*last4*",
	"*lastfour*",
	"*securitycode*", "*cvv*", "*cvc*", "ccv", "cvn", "csc", "ccnumber", "ccnum", "ccno", "cc1", "cc2", "cctype", "ccname",
	"cccode", "ccmonth",
	"ccyear", "ccexp", "ccexpiration", "ccexpiry", "ccexpdate", "ccexpmonth", "ccexpyear", "expmonth", "expyear", "last4cc", "cclast4",
	"*kreditkarte*", "*kartennummer*", "*kartennumber*", "*kartenprufnummer*", "*kartenpruefnummer*", "*prufziffer*", "*pruefziffer*",
	"*sicherheitscode*", "*tarjetadecredito*", "*tarjetadedebito*", "*numerodetarjeta*", "*nodetarjeta*", "*codigodeseguridad*",
	"*cartebancaire*",
	"*cartedecredit*", "*numerodecarte*", "*nodecarte*", "*codedesecurite*", "*cryptogramme*", "*cartaodecredito*", "*numerodocartao*",
	"*codigodeseguranca*", "*cartadicredito*", "*numerodicarta*", "*numerodellacarta*", "*numerocarta*", "*codicedisicurezza*",
	"*kaartnummer*", "*kaartnumber*", "*beveiligingscode*",
)
