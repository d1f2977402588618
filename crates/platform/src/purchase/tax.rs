//! Tax numbers, which the processor prints on later invoices (platform spec 4.6).

use signalbox_core::Timestamp;
use signalbox_core::id::AccountId;
use signalbox_store::payments::TaxId;
use signalbox_store::{By, StoreError};

use super::body::TaxIdBody;
use super::stripe::RailError;
use super::{PurchaseError, Purchases, fresh};

/// Numbers of one account.
const MOST: usize = 20;
/// Longest number.
const MAX_VALUE: usize = 64;

/// Kinds of numbers that the processor knows: the `type` of its tax ids, October 2026.
const KINDS: &str = "ad_nrt ae_trn al_tin am_tin ao_tin ar_cuit au_abn au_acn au_arn au_wpn aw_tin \
    az_tin ba_tin bb_tin bd_bin bf_ifu bg_uic bh_vat bj_ifu bo_tin br_cnpj br_cpf bs_tin bw_vat \
    by_tin ca_bn ca_gst_hst ca_pst_bc ca_pst_mb ca_pst_sk ca_qst cd_nif ch_uid ch_vat ci_vat cl_tin \
    cm_niu cn_tin co_nit cr_tin cv_nif cz_dic de_stn do_rcn ec_ruc eg_tin es_cif et_tin eu_oss_vat \
    eu_vat fo_vat fr_siren fr_siret fr_spi gb_vat ge_vat gh_tin gi_tin gn_nif hk_br hr_oib hu_tin \
    ic_nif id_npwp il_vat in_gst is_kt is_vat it_cf jp_cn jp_rn jp_trn ke_pin kg_tin kh_tin kr_brn \
    kz_bin la_tin li_uid li_vat lk_vat ma_vat md_cf md_vat me_pib mk_vat mr_nif mu_vat mx_rfc my_frp \
    my_itn my_sst mz_nuit ng_tin no_vat no_voec np_pan nz_bn nz_gst om_vat pe_ruc ph_tin pl_nip \
    pt_nif py_ruc ro_tin rs_pib ru_inn ru_kpp sa_vat sg_gst sg_uen si_tin sm_coe sn_ninea sr_fin \
    sv_nit th_vat tj_tin tr_tin tt_bir tt_vat tw_vat tz_vat ua_vat ug_tin us_ein uy_ruc uz_tin \
    uz_vat ve_rif vn_tin za_vat zm_tin zw_tin";

/// A number to be added.
#[derive(Debug, Clone)]
pub struct NewTaxId {
    /// Its kind, such as `eu_vat`.
    pub kind: String,
    /// The number.
    pub value: String,
}

impl Purchases {
    /// The tax numbers of an account.
    ///
    /// # Errors
    /// [`PurchaseError::Store`]
    pub async fn tax_ids(&self, account: &AccountId) -> Result<Vec<TaxIdBody>, PurchaseError> {
        let found = self.store().tax_ids(account).await?;
        Ok(found.iter().map(TaxIdBody::new).collect())
    }

    /// Adds a tax number, here and at the processor.
    ///
    /// # Errors
    /// [`PurchaseError::Refused`] for one that is none, [`PurchaseError::Conflict`] for one that is
    /// there.
    pub async fn add_tax_id(&self, by: &By, new: NewTaxId) -> Result<TaxIdBody, PurchaseError> {
        let account = &by.account;
        let stripe = self.stripe()?;
        let refused = |text: &str| Err(PurchaseError::Refused(text.to_owned()));
        if !KINDS.split_ascii_whitespace().any(|kind| kind == new.kind) {
            return refused("type: no kind of tax number, such as \"eu_vat\"");
        }
        let value = new.value.trim().to_owned();
        let odd = |letter: char| letter.is_control() || !letter.is_ascii();
        if value.is_empty() || value.len() > MAX_VALUE || value.chars().any(odd) {
            return refused("value: a tax number");
        }
        let there = self.store().tax_ids(account).await?;
        if there.len() >= MOST {
            return Err(PurchaseError::Conflict(format!(
                "an account has at most {MOST} tax numbers"
            )));
        }
        if there.iter().any(|one| one.kind == new.kind && one.value == value) {
            return Err(PurchaseError::Conflict("The account has this number".to_owned()));
        }
        let customer = self.customer_of(account).await?;
        let id = fresh("txid");
        let processor_ref = match stripe.add_tax_id(&id, &customer, &new.kind, &value).await {
            Ok(made) => made,
            Err(RailError::Refused { .. }) => return refused("value: no number of this kind"),
            Err(error) => return Err(error.into()),
        };
        let added = TaxId {
            id,
            account: account.clone(),
            kind: new.kind,
            value,
            processor_ref: Some(processor_ref.clone()),
            created_at: self.store().clock().now(),
        };
        match self.store().add_tax_id(by.clone(), added.clone()).await {
            Ok(()) => Ok(TaxIdBody::new(&added)),
            // Added twice at once: the second one goes again.
            Err(StoreError::Constraint(_)) => {
                stripe.remove_tax_id(&customer, &processor_ref).await?;
                Err(PurchaseError::Conflict("The account has this number".to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The same for a request that began at `since` and whose answer nobody got.
    ///
    /// # Errors
    /// As [`Purchases::add_tax_id`].
    pub async fn add_tax_id_again(
        &self,
        by: &By,
        new: NewTaxId,
        since: Timestamp,
    ) -> Result<TaxIdBody, PurchaseError> {
        let same = |one: &TaxId| {
            one.kind == new.kind && one.value == new.value.trim() && one.created_at >= since
        };
        match self.store().tax_ids(&by.account).await?.iter().find(|one| same(one)) {
            Some(found) => Ok(TaxIdBody::new(found)),
            None => self.add_tax_id(by, new).await,
        }
    }

    /// Removes a tax number, at the processor first.
    ///
    /// # Errors
    /// [`PurchaseError::NotFound`]
    pub async fn remove_tax_id(&self, by: &By, id: &str) -> Result<(), PurchaseError> {
        let account = &by.account;
        let found = self.store().tax_ids(account).await?.into_iter().find(|one| one.id == id);
        let found = found.ok_or(PurchaseError::NotFound("tax number"))?;
        if let (Some(made), Some(customer)) =
            (&found.processor_ref, self.store().customer(account).await?)
        {
            self.stripe()?.remove_tax_id(&customer.customer_ref, made).await?;
        }
        self.store().remove_tax_id(by.clone(), found).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_are_more_than_fifty_countries() {
        let kinds: Vec<_> = KINDS.split_ascii_whitespace().collect();
        let countries: std::collections::HashSet<_> = kinds.iter().map(|kind| &kind[..2]).collect();
        assert!(countries.len() > 100, "{}", countries.len());
        assert!(
            ["eu_vat", "us_ein", "gb_vat", "au_abn", "ca_bn", "br_cnpj"]
                .iter()
                .all(|kind| kinds.contains(kind))
        );
    }
}
