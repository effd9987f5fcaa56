package keap

import (
	"errors"
	"strings"
	"testing"

	"carryover/migrate/sheet"
)

func TestSecretHeaders(t *testing.T) {
	f := func(secret bool, headers ...string) {
		t.Helper()
		for _, h := range headers {
			if secretHeaders.Has(h) != secret {
				t.Errorf("%q: secret is %v", h, !secret)
			}
		}
	}
	f(true, "Password", "User Password", "PWD", "Affiliate Pwd", "Passcode", "Pass Phrase", "Passwort", "Kennwort", "Contraseña",
		"CONTRASEÑA",
		"Contrasen\u0303a", "Contrase\xf1a", "Mot de passe", "Senha", "Palavra-passe", "Wachtwoord", "Parola d'ordine", "Parola d’ordine",
		"Clave", "Clave de acceso", "PIN", "Pin Code", "PIN-Code", "Card PIN", "Security Code", "Security_Code", "SecurityCode",
		"Sicherheitscode",
		"Código de seguridad", "Code de sécurité", "Codice di sicurezza", "Secret Answer", "Secret Question", "Security Answer", "Secret",
		"Sicherheitsfrage", "Pregunta secreta", "Réponse secrète", "Mother's Maiden Name", "API Key", "apiKey", "API_KEY", "API-Schlüssel",
		"Access Token", "Private Key", "Clé API")
	f(true, "SSN", "SSN/EIN", "SSN or EIN", "Partner SSN", "PartnerSSN", "SSN Last 4", "Last 4 SSN", "_SSN", "Ｓ.S.N.SSN", "SIN",
		"SIN #", "SIN Number",
		"SIN No.", "EIN", "EIN #", "ITIN", "TIN", "Tax ID", "TaxID", "Tax ID (W-9)", "Federal Tax ID", "Taxpayer ID",
		"Social Security Number",
		"Social Insurance No", "Steuernummer", "Steuer-ID", "Sozialversicherungsnummer", "Número de la Seguridad Social", "NIF", "DNI",
		"Numéro de sécurité sociale", "Codice Fiscale", "CPF", "BSN", "Burgerservicenummer", "Passport #", "Driver's License", "Reisepass")
	f(true, "Account #", "Account#", "Account No", "Account No.", "AccountNo", "Account Number", "Acct #", "Acct. Nr",
		"Bank Account", "Routing #",
		"Routing", "Routing Number", "ABA Routing", "Sort Code", "IBAN", "Your IBAN", "IBAN1", "BIC", "SWIFT", "SWIFT/BIC",
		"Kontonummer", "Konto-Nr.",
		"Bankleitzahl", "Número de cuenta", "Nº de cuenta", "N.º de cuenta", "Cuenta bancaria", "Numéro de compte", "Conta bancária",
		"Numero di conto", "Rekeningnummer", "CLABE")
	f(true, "Card", "Card #", "Card No.", "Card Number", "CardNumber", "Card Num", "Card Exp", "Card Expiration", "Card (Last 4)",
		"Last 4", "Last Four",
		"Name on Card", "Credit Card", "Credit Card Type", "CC", "CC #", "CC Number", "CVV", "CVV2", "CVC", "Card Code",
		"Kreditkarte", "Kartennummer",
		"Karten-Nr.", "Tarjeta de crédito", "Número de tarjeta", "Carte bancaire", "Numéro de carte", "Cartão de crédito",
		"Carta di credito",
		"Numero di carta", "Kaartnummer", "Prüfziffer", "Exp Month")
	f(false, "Account", "Account Name", "Account Id", "Account Notes", "Account Manager", "Pinterest", "Shipping", "Spine",
		"Opinion", "Code", "Aff Code",
		"AffCode", "Promo Code", "Zip Code", "Country Code", "Business Card Sent", "Gift Card", "Discard", "Secretary", "Secretary Name",
		"Compass", "Passenger", "Season Pass", "Birthday", "Tax", "Tax Amount", "Taxable", "Order #", "Invoice #", "Invoice No.", "Phone 1",
		"Expiration Date", "Expires", "Number", "No", "Bank Name", "Balance", "Customer Number", "Order Number", "Product Key", "Keywords",
		"Palabra clave", "Business Phone", "Business", "Cousin", "Since", "Sincerely", "Caliban", "Ibanez", "Routine", "Token", "Ref Token",
		"Social Media", "Security", "Company", "Username", "Question", "Answer", "Paypal", "", "#", "###", "Referral Code", "Contact Id")
}

// What a kind reads is never taken for a secret.
func TestNoFieldIsSecret(t *testing.T) {
	for _, kind := range Kinds() {
		for _, field := range kind.Fields {
			for _, key := range append(field.Aliases, field.Fallbacks...) {
				if secretHeaders.Has(key) {
					t.Errorf("%s: %s is read from %q, which is secret", kind.Name, field.Name, key)
				}
			}
		}
	}
}

// No cell of a secret column leaves a file, by whatever name and encoding.
func TestSecretsOfRejects(t *testing.T) {
	for _, header := range []string{"Card #", "SSN/EIN", "SIN", "Security Code", "Passwort", "Kennwort", "Contraseña",
		"Contrase\xf1a", "Passcode", "API Key",
		"Routing #", "Account #", "Secret Answer", "Nº de cuenta"} {
		file, err := probeText("partners.csv", "",
			"Affiliate Id,AffCode,"+header+",Aff Name,Status\nx,plum,CANARY,Pat,1\n1,wren,CANARY,Will,1,more\n")
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		w, err := sheet.NewRejectWriter(&out, file)
		if err != nil {
			t.Fatal(err)
		}
		count, failed := ReadPartners(file, func(int, *Partner) error { return nil }, func(r *sheet.Reject) error {
			out.WriteString(r.Error() + r.Value)
			return w.Write(r)
		})
		if err = errors.Join(failed, w.Flush()); err != nil || count.Rejected != 2 || strings.Contains(out.String(), "CANARY") ||
			len(file.SecretHeaders) != 1 || len(file.UnknownHeaders) != 0 {
			t.Errorf("%q: %+v %v %q %q: %s", header, count, err, file.SecretHeaders, file.UnknownHeaders, out.String())
		}
	}
}
