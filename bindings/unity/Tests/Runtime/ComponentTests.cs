using System.Collections;
using System.Threading.Tasks;
using NUnit.Framework;
using UnityEngine;
using UnityEngine.TestTools;

namespace ArrSession.Unity.Tests
{
    /// <summary>These need the native library, but no service.</summary>
    public sealed class ComponentTests
    {
        GameObject place;
        RemoteRenderingSession session;
        RemoteRenderingSettings settings;

        [SetUp]
        public void MakeSession()
        {
            place = new GameObject("Remote Rendering");
            session = place.AddComponent<RemoteRenderingSession>();
            settings = ScriptableObject.CreateInstance<RemoteRenderingSettings>();
            settings.Journal = false;
            // Nothing listens on this port.
            settings.ServiceEndpoint = "http://127.0.0.1:1";
            settings.CallTimeout = System.TimeSpan.FromSeconds(0.3);
            // The test runner fails a test that logs an error.
            settings.LogLevel = ArrLogLevel.Off;
            session.Settings = settings;
        }

        [TearDown]
        public void DestroySession()
        {
            if (place != null) Object.DestroyImmediate(place);
            Object.DestroyImmediate(settings);
        }

        [Test]
        public void TheLibraryLoads()
        {
            StringAssert.Contains(".", ArrClient.LibraryVersion);
        }

        [Test]
        public void WithoutASessionEverythingIsZero()
        {
            Assert.IsNull(session.Session);
            Assert.IsNull(session.Client);
            Assert.AreEqual(SessionStatus.Unknown, session.Status);
            Assert.AreEqual(System.TimeSpan.Zero, session.Remaining);
        }

        [UnityTest]
        public IEnumerator AnUnreachableServiceIsReportedByEventAndTask()
        {
            string reported = null;
            session.OnProblem.AddListener(delegate(string problem) { reported = problem; });
            Task<SessionProperties> start = session.StartSessionAsync();
            Assert.IsTrue(session.IsStarting);
            while (!start.IsCompleted) yield return null;
            Assert.IsTrue(start.IsFaulted);
            Assert.IsNotNull(reported);
            Assert.AreEqual(reported, session.LastProblem);
            Assert.IsFalse(session.IsStarting);
        }

        [UnityTest]
        public IEnumerator WithoutSettingsTheProblemSaysHowToCreateThem()
        {
            session.Settings = null;
            Task<SessionProperties> start = session.StartSessionAsync();
            while (!start.IsCompleted) yield return null;
            StringAssert.Contains("Assets > Create > Remote Rendering", session.LastProblem);
        }

        [UnityTest]
        public IEnumerator ADestroyedComponentCancelsItsStart()
        {
            Task<SessionProperties> start = session.StartSessionAsync();
            yield return null;
            string before = session.LastProblem;
            Object.DestroyImmediate(place);
            while (!start.IsCompleted) yield return null;
            Assert.IsTrue(start.IsCanceled || before != null);
            Assert.AreEqual(0, SessionPump.Count);
        }
    }
}
