using NUnit.Framework;
using UnityEngine;

namespace ArrSession.Unity.Tests
{
    public sealed class SettingsTests
    {
        RemoteRenderingSettings settings;

        [SetUp]
        public void MakeSettings()
        {
            settings = ScriptableObject.CreateInstance<RemoteRenderingSettings>();
        }

        [TearDown]
        public void DestroySettings()
        {
            Object.DestroyImmediate(settings);
        }

        [Test]
        public void NewSettingsAreForTheEmulator()
        {
            Assert.IsNull(settings.FindProblem(true, false));
            ArrClientOptions options = settings.ToOptions();
            Assert.AreEqual(DevelopmentAccount.Url, options.ServiceEndpoint);
            Assert.AreEqual(DevelopmentAccount.Url, options.AccountDomain);
            Assert.AreEqual(DevelopmentAccount.AccountKey, options.AccountKey);
        }

        [Test]
        public void WithoutACredentialTheProblemSaysWhatToChoose()
        {
            settings.Credential = CredentialSource.None;
            StringAssert.Contains("Choose Development Account", settings.FindProblem(false, false));
        }

        [Test]
        public void AnAccountKeyIsForTheEditorOnly()
        {
            settings.Credential = CredentialSource.AccountKeyInEditor;
            settings.AccountId = DevelopmentAccount.AccountId;
            settings.AccountKey = "c2VjcmV0";
            settings.AccountDomain = "westus2";
            settings.ServiceEndpoint = "westus2";
            Assert.IsNull(settings.FindProblem(false, false));
            StringAssert.Contains("Clear Account Key", settings.FindProblem(true, false));
        }

        [Test]
        public void AnUnusedKeyFailsABuildToo()
        {
            settings.AccountKey = " c2VjcmV0 ";
            Assert.IsTrue(settings.HoldsForeignKey);
            StringAssert.Contains("Clear Account Key", settings.FindProblem(true, false));
            settings.AccountKey = DevelopmentAccount.AccountKey;
            Assert.IsNull(settings.FindProblem(true, false));
        }

        [Test]
        public void ATokenProviderMustBeSetOrNextToTheSession()
        {
            settings.Credential = CredentialSource.TokenProvider;
            settings.AccountId = DevelopmentAccount.AccountId;
            settings.AccountDomain = "westus2";
            settings.ServiceEndpoint = "westus2";
            StringAssert.Contains("TokenProviderAsset", settings.FindProblem(true, false));
            Assert.IsNull(settings.FindProblem(true, true));
        }

        [Test]
        public void ATokenIsPassedByItsKind()
        {
            settings.Credential = CredentialSource.TokenProvider;
            ArrClientOptions access = settings.ToOptions("a.b.c", TokenKind.AccessToken);
            Assert.AreEqual("a.b.c", access.AccessToken);
            Assert.IsNull(access.EntraToken);
            Assert.IsTrue(access.TokenOnRequest);
            ArrClientOptions entra = settings.ToOptions("a.b.c", TokenKind.EntraToken);
            Assert.AreEqual("a.b.c", entra.EntraToken);
            Assert.IsNull(entra.AccessToken);
            Assert.IsNull(entra.AccountKey);
        }

        [Test]
        public void TheJournalIsBelowPersistentDataPath()
        {
            StringAssert.Contains(Application.persistentDataPath, settings.ToOptions().JournalFolder);
            settings.Journal = false;
            Assert.IsNull(settings.ToOptions().JournalFolder);
        }

        [Test]
        public void UnsetOptionsUseTheLibrarysDefaults()
        {
            ArrClientOptions options = settings.ToOptions();
            Assert.IsNull(options.PollInterval);
            Assert.IsNull(options.CallTimeout);
            Assert.IsNull(options.Proxy);
        }
    }
}
