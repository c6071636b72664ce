using NUnit.Framework;
using UnityEditor.Build;
using UnityEngine.SceneManagement;

namespace ArrSession.Unity.Editor.Tests
{
    public sealed class BuildCheckTests
    {
        [Test]
        public void PlayModeIsNotABuild()
        {
            new BuildCheck().OnProcessScene(default(Scene), null);
        }

        [Test]
        public void RunsBeforeTheBuild()
        {
            Assert.IsTrue(new BuildCheck().callbackOrder < 0);
        }

        [Test]
        public void ImplementsBothBuildCallbacks()
        {
            object check = new BuildCheck();
            Assert.IsTrue(check is IPreprocessBuildWithReport && check is IProcessSceneWithReport);
        }
    }
}
